"""The answer sheet while it is being filled in: replies, follow-ups, and the path of questions."""

import msgspec
from msgspec.structs import replace

from advisor.answers import Answer, Answers, Sure, Wanted
from knowledge.model import Choose, Knowledge, Option, Question, Role, Text

_COURSE_QUESTION = Question(
    id="course",
    choose=Choose.ONE,
    asks="framework",
    text=Text(en="Which framework does the course use?", zh="课程使用哪个框架？"),
    why=Text(
        en="It is shown beside the advice and adds no points: following a course is a good reason of its own.",
        zh="它会与推荐结果并列显示，但不加分：跟随课程本身就是充分的理由。",
    ),
)
_PYTHON_QUESTION = Question(
    id="requirements.python",
    choose=Choose.ONE,
    asks="python",
    text=Text(en="Which Python version must it be?", zh="必须是哪个 Python 版本？"),
    why=Text(
        en="A framework that does not install on it is ruled out.",
        zh="不能安装在该版本上的框架会被排除。",
    ),
)
_FOLLOW_UPS = {asked.id: asked for asked in (_COURSE_QUESTION, _PYTHON_QUESTION)}


class Reply(msgspec.Struct, frozen=True):
    """What was answered to one question: option ids ticked, those only perhaps, and how sure."""

    values: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    sure: Sure = Sure.MEDIUM

    def __bool__(self) -> bool:
        return bool(self.values or self.maybe)


def reply_to(answers: Answers, asked: Question) -> Reply:
    """What the sheet says to a question; an empty reply when it says nothing."""
    match asked.id:
        case "current":
            return Reply(values=(answers.current,) if answers.current else ())
        case "course":
            return Reply(values=(answers.course,) if answers.course else ())
        case "requirements.python":
            wanted = answers.requirements.get("python")
            return Reply(values=wanted.values if wanted is not None else ())
    ticked = answers.answers.get(asked.id)
    perhaps = answers.answers.get(asked.maybe) if asked.maybe is not None else None
    first = ticked or perhaps
    return Reply(
        values=ticked.values if ticked is not None else (),
        maybe=perhaps.values if perhaps is not None else (),
        sure=first.sure if first is not None else Sure.MEDIUM,
    )


def with_reply(answers: Answers, asked: Question, reply: Reply) -> Answers:
    """The sheet with this reply in place of the former one; an empty reply takes the question out.

    What an option asked further goes with the option: no Python version stays required that nobody named any more.
    """
    value = reply.values[0] if reply.values else None
    match asked.id:
        case "current":
            return replace(answers, current=value)
        case "course":
            return replace(answers, course=value)
        case "requirements.python":
            requirements = {fact: wanted for fact, wanted in answers.requirements.items() if fact != "python"}
            if value is not None:
                requirements["python"] = Wanted((value,))
            return replace(answers, requirements=requirements)
    kept = {key: answer for key, answer in answers.answers.items() if key not in (asked.id, asked.maybe)}
    if reply.values:
        kept[asked.id] = Answer(reply.values, reply.sure)
    if reply.maybe and asked.maybe is not None:
        kept[asked.maybe] = Answer(reply.maybe, reply.sure)
    answers = replace(answers, answers=kept)
    for option in asked.options:
        if option.id not in reply.values:
            for follow_up in option.asks:
                if follow_up in _FOLLOW_UPS:
                    answers = with_reply(answers, _FOLLOW_UPS[follow_up], Reply())
    return answers


def without_assumption(answers: Answers, assumption: str) -> Answers:
    """The sheet with an assumption that knocks out taken back, or taken up again if it was."""
    requirements = dict(answers.requirements)
    if requirements.pop(assumption, None) is None:
        requirements[assumption] = Wanted(("false",))
    return replace(answers, requirements=requirements)


def taken_back(answers: Answers) -> tuple[str, ...]:
    """The assumptions that were taken back."""
    return tuple(fact for fact, wanted in answers.requirements.items() if wanted.values == ("false",))


def is_answered(knowledge: Knowledge, answers: Answers, step: str) -> bool:
    """Whether the sheet says anything to a question."""
    return bool(reply_to(answers, question(knowledge, step)))


def question(knowledge: Knowledge, identifier: str) -> Question:
    """The question of that id, follow-ups included."""
    return _FOLLOW_UPS.get(identifier) or knowledge.questions[identifier]


def options(knowledge: Knowledge, asked: Question) -> tuple[Option, ...]:
    """What can be chosen: the question's own options, or the frameworks or Python versions that are known."""
    if asked.asks == "framework":
        known = [f for f in knowledge.frameworks.values() if f.role is not Role.COMPANION]
        return tuple(Option(id=f.id, text=Text(en=f.name, zh=f.name)) for f in known)
    if asked.asks == "python":
        stated = {
            value
            for framework in knowledge.frameworks.values()
            for statement in framework.facts.get("python", ())
            for value in statement.values
            if value.startswith("3.")
        }
        newest_first = sorted(stated, key=lambda value: [int(part) for part in value.split(".")], reverse=True)
        return tuple(Option(id=value, text=Text(en=value, zh=value)) for value in newest_first)
    return asked.options


def path(knowledge: Knowledge, answers: Answers, quick: bool) -> tuple[str, ...]:
    """The questions to ask, in order: each follow-up directly behind the answer that calls for it."""
    steps: list[str] = []
    for asked in knowledge.questions.values():
        if quick and not asked.quick:
            continue
        if asked.id not in steps:
            steps.append(asked.id)
        for option in asked.options:
            if option.id in reply_to(answers, asked).values:
                steps += [ask for ask in option.asks if ask not in steps]
    return tuple(steps)


def toggled(asked: Question, chosen: tuple[Option, ...], reply: Reply, option: Option, maybe: bool) -> Reply:
    """The reply after `option` was pressed once.

    A single choice moves; several are ticked, then (where the question has a "maybe") marked as perhaps, then cleared.
    An option that stands alone clears the others, and any other clears it; a third of two replaces the older.

    Args:
        asked: the question.
        chosen: its options.
        reply: what is ticked now.
        option: the one that was pressed.
        maybe: whether "perhaps" itself was pressed, which skips the tick.
    """
    if asked.choose is Choose.ONE:
        return replace(reply, values=() if reply.values == (option.id,) else (option.id,))
    values = tuple(value for value in reply.values if value != option.id)
    perhaps = tuple(value for value in reply.maybe if value != option.id)
    if maybe or (option.id in reply.values and asked.maybe is not None and not option.alone):
        if asked.maybe is not None and not option.alone and option.id not in reply.maybe:
            perhaps += (option.id,)
        return replace(reply, values=values, maybe=perhaps)
    if option.id in reply.values or option.id in reply.maybe:
        return replace(reply, values=values, maybe=perhaps)
    if option.alone:
        return replace(reply, values=(option.id,), maybe=())
    alone = {each.id for each in chosen if each.alone}
    values = (*(value for value in values if value not in alone), option.id)
    if asked.choose is Choose.UP_TO_TWO:
        values = values[-2:]
    return replace(reply, values=values, maybe=perhaps)
