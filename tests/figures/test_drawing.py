"""What figures show: the promises of their docstrings, read off the traces."""

import numpy as np
import pandas as pd
import pytest

import vectorbt as vbt
from vectorbt.portfolio.registry.figures import calendar, correlation, equity, pairs, sweep, trials
from vectorbt.portfolio.registry.figures.luck import Luck
from vectorbt.portfolio.registry.figures.thinning import sampled, thinned
from vectorbt.portfolio.registry.grid import Grid

LUCK = Luck(n_trials=12, worthless=1.0, around_mean=1.3, holding=0.4)

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J"


@pytest.fixture(autouse=True)
def plain_figures(monkeypatch):
    """Figures without widgets, which need a notebook."""
    monkeypatch.setitem(vbt.settings["plotting"], "use_widgets", False)


def table(sharpes, **parameters):
    """Return a table of runs as `RunList.to_frame` does."""
    columns = {"sharpe_ratio": sharpes, "max_drawdown": np.arange(len(sharpes)) + 1.0}
    columns.update((f"params.{name}", values) for name, values in parameters.items())
    return pd.DataFrame(columns, index=pd.Index([f"run-{i:04d}" for i in range(len(sharpes))], name="run_id"))


def grid_table():
    """Return 3 x 4 runs, the best of them at fast 2 and slow 20."""
    fast, slow = np.divmod(np.arange(12), 4)
    sharpes = np.array([0.1, 0.2, 0.3, 0.1, 0.2, 1.2, 0.4, 0.2, 0.1, 0.3, 0.2, np.nan])
    return table(sharpes, fast=fast + 1, slow=(slow + 1) * 10, fees=[0.001] * 12)


def returns_of(n_runs=3, n=400):
    index = pd.date_range("2020-01-01", periods=n)
    values = np.random.default_rng(1).normal(0.0005, 0.01, (n, n_runs))
    return pd.DataFrame(values, index=index, columns=[f"run-{i:04d}" for i in range(n_runs)])


def heatmap_in(fig):
    return next(trace for trace in fig.data if trace.type == "heatmap")


def texts_of(fig):
    return [fig.layout.title.text, *(annotation.text for annotation in fig.layout.annotations)]


class TestThinning:
    def test_keeps_every_extreme(self):
        values = np.random.default_rng(0).normal(size=100_000).cumsum()
        kept = thinned(values)
        assert len(kept) <= 2002
        assert {0, len(values) - 1, values.argmin(), values.argmax()} <= set(kept.tolist())
        assert (np.diff(kept) > 0).all()

    def test_keeps_the_depth_of_every_bucket(self):
        values = np.random.default_rng(0).normal(size=5_000)
        values[:600] = np.nan
        kept = values[thinned(values, 10)]
        for bucket in np.array_split(values, 10)[2:]:
            assert bucket.min() in kept and bucket.max() in kept

    def test_leaves_short_lines_alone(self):
        assert thinned(np.arange(2002.0)).tolist() == list(range(2002))

    def test_cloud_keeps_the_best_and_the_worst(self):
        values = np.random.default_rng(0).normal(size=20_000)
        kept = set(sampled(values, 100).tolist())
        order = np.argsort(values)
        assert set(order[:100].tolist()) | set(order[-100:].tolist()) <= kept
        assert len(kept) <= 300


class TestGrid:
    def test_neighbourhood_of_the_published_example(self):
        values = np.array([[0.1, 0.2, 0.1], [0.2, 1.0, 0.3], [0.1, 0.4, 0.2]]).ravel()
        row, column = np.divmod(np.arange(9), 3)
        found = Grid(table(values, i=row, j=column)).neighbourhood(values, 4)
        assert found.n_neighbours == 8
        assert found.mean / found.value == pytest.approx(0.2, abs=1e-9)
        assert found.worst / found.value == pytest.approx(0.1, abs=1e-9)
        assert found.rank == pytest.approx(6 / 9, abs=1e-9)
        assert found.is_complete

    def test_steps_are_ranks(self):
        values = np.arange(5.0)
        grid = Grid(table(values, window=[1, 2, 4, 8, 1000]))
        assert grid.neighbourhood(values, 3).n_neighbours == 2
        assert not grid.neighbourhood(values, 4).is_complete

    def test_other_kinds_are_no_neighbours(self):
        values = np.arange(6.0)
        frame = table(values, window=[1, 2, 3] * 2, kind=["ema"] * 3 + ["sma"] * 3)
        assert Grid(frame).neighbourhood(values, 1).n_neighbours == 2

    def test_low_can_be_good(self):
        values = np.array([3.0, 1.0, 2.0])
        found = Grid(table(values, window=[1, 2, 3])).neighbourhood(values, 1, lower_is_better=True)
        assert (found.best, found.worst, found.rank) == (2.0, 3.0, 1 / 3)

    def test_lone_run(self):
        found = Grid(table(np.array([1.0]), window=[1])).neighbourhood(np.array([1.0]), 0)
        assert found.n_neighbours == 0 and np.isnan(found.median)

    def test_axes_are_what_differs(self):
        grid = Grid(grid_table())
        assert list(grid.axes) == ["slow", "fast"]
        assert grid.constants == {"fees": "0.001"}
        assert grid.label(5) == "slow 20, fast 2"

    def test_order_of_texts_is_natural(self):
        frame = table(np.arange(3.0), start=[pd.Timestamp("2021-01-01"), pd.Timestamp("2020-01-01"), None])
        labels = Grid(frame).axes["start"].labels
        assert "2020" in labels[0] and "2021" in labels[1]


class TestHeatmap:
    def test_scale_ends_at_luck(self):
        frame = grid_table()
        frame.loc[frame.index[5], "sharpe_ratio"] = 0.5
        found = heatmap_in(sweep.plot_heatmap(frame, luck=LUCK))
        assert (found.zmin, found.zmax) == (-1.0, 1.0)
        assert "luck" in found.colorbar.ticktext

    def test_cells_above_luck_have_a_frame(self):
        fig = sweep.plot_heatmap(grid_table(), luck=LUCK)
        frames = next(trace for trace in fig.data if trace.name == "above luck")
        assert (frames.x, frames.y) == ((20,), (2,))
        assert "luck alone 1" in fig.layout.title.text and "11 runs (1 without one)" in fig.layout.title.text

    def test_every_cell_names_its_run(self):
        found = heatmap_in(sweep.plot_heatmap(grid_table(), x_level="fast", y_level="slow"))
        assert found.customdata[1][1] == "run-0005"
        assert found.z[1][1] == 1.2 and found.z[3][2] is None

    def test_winner_and_neighbourhood_are_marked(self):
        frame = grid_table()
        values = frame["sharpe_ratio"].to_numpy()
        fig = sweep.plot_heatmap(frame, neighbourhood=Grid(frame).neighbourhood(values, 5))
        star = next(trace for trace in fig.data if trace.name == "winner")
        assert star.customdata == ("run-0005",)
        (frame_around,) = fig.layout.shapes
        assert (frame_around.x0, frame_around.x1, frame_around.y0, frame_around.y1) == (5, 35, 0.5, 3.5)

    def test_one_parameter_is_a_line(self):
        frame = table(np.array([0.1, 0.5, 0.2]), window=[1, 2, 4])
        fig = sweep.plot_heatmap(frame, luck=LUCK)
        assert fig.data[0].y == (0.1, 0.5, 0.2)
        assert fig.layout.xaxis.type == "category"  # steps of unequal size

    def test_third_parameter_is_a_slider(self):
        frame = pd.concat([grid_table(), grid_table()]).assign(**{"params.stop": [0.1] * 12 + [0.2] * 12})
        frame.index = [f"run-{i:04d}" for i in range(24)]
        frame.loc["run-0017", "sharpe_ratio"] = 2.0
        fig = sweep.plot_heatmap(frame, luck=LUCK)
        (slider,) = fig.layout.sliders
        assert [step.label for step in slider.steps] == ["0.1", "0.2"] and slider.active == 1
        assert [trace.visible for trace in fig.data[:4]] == [False, False, True, True]

    def test_more_parameters_share_cells(self):
        frame = pd.concat([grid_table()] * 4).assign(**{"params.a": [0, 1] * 24, "params.b": [0] * 24 + [1] * 24})
        frame.index = [f"run-{i:04d}" for i in range(48)]
        frame["sharpe_ratio"] = np.linspace(0, 1, 48)
        best = heatmap_in(sweep.plot_heatmap(frame))
        middle = heatmap_in(sweep.plot_heatmap(frame, agg="median"))
        assert best.z[0][0] > middle.z[0][0]

    def test_low_metrics_have_low_winners(self):
        fig = sweep.plot_heatmap(grid_table(), "max_drawdown")
        assert next(trace for trace in fig.data if trace.name == "winner").customdata == ("run-0000",)
        assert heatmap_in(fig).reversescale

    @pytest.mark.parametrize(
        ("frame", "options", "message"),
        [
            (grid_table().iloc[:0], {}, "no runs to draw"),
            (grid_table(), dict(metric="sortino_ratio"), "none of these runs has a sortino_ratio"),
            (grid_table(), dict(x_level="fats"), "do not differ in a parameter 'fats'; they differ in 'slow', 'fast'"),
            (grid_table(), dict(agg="mean"), "agg must be"),
            (table(np.array([1.0, 2.0])), {}, "differ in no parameter"),
            (table(np.array([np.inf, np.nan]), a=[1, 2]), {}, "none of these runs has a finite sharpe_ratio"),
        ],
    )
    def test_refuses_what_cannot_be_drawn(self, frame, options, message):
        with pytest.raises(ValueError, match=message):
            sweep.plot_heatmap(frame, **options)


class TestOtherSweepFigures:
    def test_plateau_says_what_the_neighbours_show(self):
        frame = grid_table()
        found = Grid(frame).neighbourhood(frame["sharpe_ratio"].to_numpy(), 5, metric="sharpe_ratio")
        fig = sweep.plot_plateau(frame, found, LUCK)
        assert "Within 1 step: median 0.20 = 17% of the run's 1.20" in fig.layout.title.text
        along = [trace for trace in fig.data if trace.mode == "lines+markers"]
        assert along[0].y == (0.2, 1.2, 0.4, 0.2) and along[1].y == (0.2, 1.2, 0.3)

    def test_marginals_begin_with_what_matters_most(self):
        frame = table(np.arange(8.0), little=[0, 1] * 4, much=[0] * 4 + [1] * 4)
        assert [one.text for one in sweep.plot_marginals(frame).layout.annotations] == ["much", "little"]

    def test_volume_needs_three_parameters(self):
        with pytest.raises(ValueError, match="needs three parameters"):
            sweep.plot_volume(grid_table())
        frame = table(np.arange(8.0), a=[0, 1] * 4, b=[0, 0, 1, 1] * 2, c=[0] * 4 + [1] * 4)
        assert sweep.plot_volume(frame).data[0].type == "volume"


class TestEquity:
    def test_growth_and_drawdown(self):
        returns = pd.DataFrame({"run-a": [0.1, -0.5, 1.0]}, index=pd.date_range("2020", periods=3))
        growth, fall = equity.plot_equity(returns, rebase=100).data
        assert growth.y == pytest.approx((110, 55, 110))
        assert fall.y == pytest.approx((0, -0.5, 0))
        assert growth.meta == "run-a"

    def test_a_first_loss_is_a_drawdown(self):
        returns = pd.DataFrame({"run-a": [-0.2, 0.0]}, index=pd.date_range("2020", periods=2))
        assert equity.plot_equity(returns).data[1].y == (-0.2, -0.2)

    def test_labels_lie_apart(self):
        returns = returns_of(12) * 1e-6
        fig = equity.plot_equity(returns, benchmark=returns.iloc[:, 0])
        heights = sorted(annotation.y for annotation in fig.layout.annotations)
        assert len(heights) == 13
        assert np.diff(heights).min() >= 0.045 - 1e-9

    def test_many_runs_have_a_legend(self):
        fig = equity.plot_equity(returns_of(13))
        assert fig.layout.showlegend and not fig.layout.annotations

    def test_long_runs_are_thinned(self):
        fig = equity.plot_equity(returns_of(1, 50_000))
        assert all(len(trace.x) <= 2002 for trace in fig.data)

    def test_other_bars_are_drawn_as_they_are(self):
        daily, weekly = returns_of(1), returns_of(1).iloc[::7].rename(columns=lambda name: "weekly")
        fig = equity.plot_equity(pd.concat([daily, weekly], axis=1), drawdown=False)
        assert [len(trace.x) for trace in fig.data] == [400, 58]

    def test_rolling_is_the_sharpe_ratio_of_the_window(self):
        returns = returns_of(1, 50)
        last = equity.plot_rolling(returns, 252, window=20).data[0].y[-1]
        window = returns.iloc[-20:, 0]
        assert last == pytest.approx(window.mean() / window.std() * np.sqrt(252), rel=1e-4)

    def test_no_runs(self):
        with pytest.raises(ValueError, match="no runs to draw"):
            equity.plot_equity(returns_of().iloc[:, :0])


class TestCalendar:
    def test_months_compound(self):
        returns = pd.Series([0.1, 0.1, -0.1], index=pd.to_datetime(["2020-01-30", "2020-01-31", "2020-03-01"]))
        months, years = calendar.plot_months(returns).data
        assert months.z[0][0] == pytest.approx(21) and months.z[0][2] == pytest.approx(-10)
        assert months.z[0][1] is None  # nothing happened, so nothing is shown
        assert years.z[0][0] == pytest.approx(8.9)

    def test_years_have_holding_first(self):
        returns = returns_of(2)
        fig = calendar.plot_years(returns, benchmark=returns.iloc[:, 0])
        assert [bar.name for bar in fig.data] == ["holding", "run-0000", "run-0001"]
        assert fig.data[0].x == ("2020", "2021")

    def test_without_dates(self):
        with pytest.raises(ValueError, match="no dates"):
            calendar.plot_months(pd.Series([0.1, 0.2]))


class TestTrials:
    def test_hurdles_are_written_on_their_lines(self):
        fig = trials.plot_distribution(np.linspace(-1, 1, 100), 0.9, LUCK)
        texts = " | ".join(texts_of(fig))
        for text in ("100 trials: the run shows 0.90", "luck alone 1.00", "mean 1.30", "holding 0.40"):
            assert text in texts

    def test_unknown_hurdles_are_left_out(self):
        fig = trials.plot_distribution(np.array([0.5]), 0.5, Luck(1, float("nan"), float("nan")))
        assert "luck" not in " ".join(texts_of(fig)) and "holding" not in " ".join(texts_of(fig))

    def test_timeline_counts_every_trial(self):
        moments = pd.date_range("2026-01-01", periods=2)
        steps = [
            trials.Step(1, moments[0], 0.1, 0.1, 0.1, Luck(1, 0.0, 0.0), 1, 0),
            trials.Step(50, moments[1], -0.1, 0.3, 0.35, Luck(50, 0.3, 0.4), 49, 10),
        ]
        fig = trials.plot_timeline(steps)
        assert "50 trials: best so far 0.35, luck would have brought 0.30" in fig.layout.title.text
        assert next(trace for trace in fig.data if trace.name == "best so far").x == (1, 50)
        assert any("10 runs deleted of 49" in text for trace in fig.data for text in trace.text or ())
        assert trials.plot_timeline(steps, "time").data[0].x[0] == moments[0]


class TestPairs:
    def test_scatter_counts_what_is_left_out(self):
        fig = pairs.plot_scatter(grid_table(), "max_drawdown", "sharpe_ratio")
        assert "11 runs, 1 without one of them left out" in fig.layout.title.text
        assert len(fig.data[0].x) == len(fig.data[0].customdata) == 11

    def test_large_clouds_are_sampled_and_say_so(self):
        frame = table(np.random.default_rng(0).normal(size=10_000))
        fig = pairs.plot_scatter(frame, "max_drawdown", "sharpe_ratio")
        assert "of 10,000 runs drawn" in fig.layout.title.text
        assert len(fig.data[0].x) <= 3200

    def test_parallel_draws_the_best_last(self):
        fig = pairs.plot_parallel(grid_table(), top=10)
        assert [trace.name for trace in fig.data][-1] == "best fifth"
        assert "run-0005" in fig.data[-1].customdata
        assert "The best 10 of 11 runs" in fig.layout.title.text

    def test_unknown_column(self):
        with pytest.raises(ValueError, match="no column 'sharp'"):
            pairs.plot_scatter(grid_table(), "sharp", "max_drawdown")


class TestCorrelation:
    def test_alike_runs_stand_together(self):
        returns = returns_of(4)
        returns["run-0003"] = returns["run-0000"]
        found = correlation.plot_correlation(returns)
        ids = [row[0][0] for row in found.data[0].customdata]
        assert abs(ids.index("run-0000") - ids.index("run-0003")) == 1

    def test_flat_runs_are_counted(self):
        fig = correlation.plot_correlation(returns_of(3).assign(flat=0.0))
        assert "1 that never changed left out" in fig.layout.title.text
        with pytest.raises(ValueError, match="two runs"):
            correlation.plot_correlation(returns_of(1))


def test_names_are_inert():
    returns = returns_of(2)
    labels = dict.fromkeys(returns, HOSTILE)
    frame = grid_table().rename(columns={"params.fast": f"params.{HOSTILE}"})
    found = Grid(frame).neighbourhood(frame["sharpe_ratio"].to_numpy(), 5, metric="sharpe_ratio")
    for fig in (
        equity.plot_equity(returns, labels),
        equity.plot_rolling(returns, 252, 20, labels),
        calendar.plot_months(returns.iloc[:, 0], HOSTILE),
        calendar.plot_years(returns, labels),
        correlation.plot_correlation(returns, labels),
        sweep.plot_heatmap(frame, neighbourhood=found),
        sweep.plot_plateau(frame, found),
        sweep.plot_marginals(frame),
        pairs.plot_parallel(frame),
        pairs.plot_scatter(frame, f"params.{HOSTILE}", "sharpe_ratio"),
    ):
        assert "<img" not in fig.to_json().replace("\\u003c", "<") and "\x1b" not in fig.to_json()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes_are_vectorbts(theme):
    vbt.settings.set_theme(theme)
    try:
        fig = sweep.plot_heatmap(grid_table())
        star = next(trace for trace in fig.data if trace.name == "winner")
        assert star.marker.color == ("white" if theme == "dark" else "black")
    finally:
        vbt.settings.reset_theme()
