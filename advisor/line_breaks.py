"""Where a line may break. Rich and Textual break at blanks alone, and Chinese is written without them: a sentence went
below the half-empty line before it, and its full stop below that.
"""

import re
from typing import Final

_HAN: Final = "\u2e80-\u2fff\u3003-\u3007\u3021-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_OPENS: Final = "（《「『【〈〔“"
_CLOSES: Final = "，。、；：？！）》」』】〉〕”"

WORD: Final = re.compile(
    rf"\s*(?:[{_OPENS}]*(?:[{_HAN}]|[^\s{_HAN}{_OPENS}{_CLOSES}]+(?:(?<=\d) %)?|(?=[{_CLOSES}]))[{_CLOSES}]*"
    rf"|[{_OPENS}]+)\s*"
)
"""What stays on one line: a Chinese character or a word of another script, with the marks that may not begin or end a
line and the blanks around it; also a number with its per cent sign.
"""


def break_like_chinese() -> None:
    """Make Rich, and Textual through it, break lines between such words. They have no setting for it."""
    import rich._wrap

    rich._wrap.re_word = WORD
