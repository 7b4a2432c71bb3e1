"""The chances of every rank."""

from textual.widgets import DataTable

from advisor.tui.app import AdvisorApp
from tests.advisor.tui.conftest import Settle
from tests.advisor.tui.scene import shown


async def test_sideways_goes_by_whole_columns_and_the_names_stay(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test(size=(30, 24)) as pilot:
        app.action_ranks()
        await settle(pilot)
        table = app.screen.query_one(DataTable)
        column = table.ordered_columns[1].get_render_width(table)
        await pilot.press("right")
        await settle(pilot)
        assert table.scroll_x == column
        await pilot.press("left")
        await settle(pilot)
        assert table.scroll_x == 0
        assert table.fixed_columns == 1


async def test_both_tables_say_what_their_shares_are_of(app: AdvisorApp, settle: Settle) -> None:
    async with app.run_test() as pilot:
        app.action_ranks()
        await settle(pilot)
        assert shown(app, "#about") == "How often each takes each rank, in the draws of ratings and weights"
        await pilot.press("v")
        await settle(pilot)
        assert shown(app, "#about") == "How often the row's framework scores above the column's, in the draws"
