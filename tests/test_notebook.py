"""What a notebook shows of every object, also of odd ones, is sound HTML."""

import copy
import pickle
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import rendered
from autograd_core.rendering import FlowHistory, compare, draw, plots, record_flow
from tests.flows import deep, flow_of

ALLOWED = {
    "div": {"style"}, "pre": {"style"}, "table": {"style"}, "thead": set(), "tbody": set(),
    "tr": {"style"}, "th": {"style"}, "td": {"style"}, "ul": {"style"}, "li": set(), "b": set(),
    "i": set(), "img": {"alt", "style", "src"},
    "iframe": {"title", "sandbox", "style", "srcdoc"},
}  # fmt: skip


class Checker(HTMLParser):
    """Reads HTML: its text, and what is wrong with it."""

    def __init__(self, html):
        super().__init__()
        self.words, self.open, self.wrong, self.attributes = [], [], [], {}
        self.feed(html)
        self.close()
        self.wrong += [f"<{tag}> stays open" for tag in self.open]
        self.text = "".join(self.words)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.attributes[tag] = given
        if tag not in ALLOWED or not given.keys() <= ALLOWED[tag]:
            self.wrong.append(self.get_starttag_text()[:200])
        if not given.get("src", "data:image/png;base64,").startswith("data:image/png;base64,"):
            self.wrong.append(given["src"])
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.wrong.append(data)


def shown(value):
    """The text of what a notebook shows, which is sound HTML that does not show as an error."""
    html = value._repr_html_()
    checker = Checker(html)
    assert checker.wrong == []
    assert not re.search("[\x00-\x08\x7f\ud800-\udfff]", html)
    assert "is shown as text" not in checker.text
    return checker.text


def tracked(values, **settings):
    return ac.Tensor(values, requires_grad=True, **settings)


def freed():
    x = tracked([1.0, 2.0])
    y = x * x
    y.sum().backward()
    return y


TENSORS = {
    "untracked": (lambda: ac.Tensor([1, 2]), ["(2,) · int64 · cpu · not tracked", "[1, 2]"]),
    "leaf": (lambda: tracked([1.5], name="w"), ["Tensor w", "leaf, requires a gradient", "[1.5]"]),
    "result": (lambda: ac.tanh(tracked([0.0])), ["result of tanh", "[0.]"]),
    "freed": (freed, ["its graph has been released", "[1., 4.]"]),
    "scalar": (lambda: ac.Tensor(2.5), ["scalar · float64", "2.5"]),
    "empty": (lambda: ac.Tensor(np.ones((3, 0, 2))), ["(3, 0, 2)", "no elements"]),
    "bool": (lambda: ac.Tensor(np.arange(200) < 9), ["9 of 200 are True"]),
    "complex": (lambda: ac.Tensor(np.full(101, 3 + 4j)), ["least absolute value 5, mean 3+4j"]),
    "few NaN": (lambda: ac.Tensor([np.nan, np.inf]), ["[nan, inf]"]),
    "many NaN": (
        lambda: ac.Tensor([np.nan, -np.inf, np.inf, 3] * 30),
        ["least element 3, mean 3, greatest 3, 30 NaN, 60 inf", "..."],
    ),
    "only NaN": (lambda: ac.Tensor(np.full((20, 20), np.nan)), ["400 elements, 3.2 kB, 400 NaN"]),
    "overflow": (lambda: ac.Tensor(np.full(400, 1.5e308)), ["mean 1.5e+308"]),
    "float16": (lambda: ac.Tensor(np.full(400, 6e4, np.float16)), ["mean 6e+04"]),
    "integers": (lambda: ac.Tensor(np.arange(1234)), ["least element 0, mean 616.5, greatest 1,2"]),
    "huge": (lambda: ac.Tensor(np.ones((1000, 1000))), ["1,000,000 elements, 8 MB"]),
    "huge view": (lambda: ac.Tensor(np.broadcast_to(1.0, (10, 9, 8, 7))), ["mean 1"]),
    "many axes": (lambda: ac.Tensor(np.ones((2,) * 8)), ["of [0, 0, 0, 0, 0, 0, :, :]"]),
    "axes": (lambda: ac.Tensor(np.ones((1,) * 20)), ["1."]),
    "gradient": (lambda: with_gradient(2.0), ["has a gradient of rms 2"]),
    "bad gradient": (lambda: with_gradient(np.nan), ["has a gradient, 2 of it not finite"]),
    "parameter": (lambda: nn.Parameter(np.ones(2)), ["Parameter"]),
}  # fmt: skip


def with_gradient(value):
    x = tracked([1.0, 2.0])
    x.grad = value
    return x


@pytest.mark.parametrize("name", TENSORS)
def test_tensors(name):
    make, expected = TENSORS[name]
    with np.errstate(all="raise"):
        text = shown(make())
    for part in expected:
        assert part in text
    assert len(text) < 3000


def test_a_tensor_of_a_device(device):
    for values in (np.ones(3), np.ones((50, 50)), np.ones((2, 0)), np.array(1.0)):
        x = tracked(device.array(values))
        assert device.home in shown(x)
        (x * 2).sum().backward()
        assert "has a gradient" in shown(x)


def test_an_argument_of_a_transform():
    texts = []
    ac.grad(ac.grad(lambda x: texts.append(shown(x)) or x * x * x))(2.0)
    ac.grad(lambda x: texts.append(shown(x)) or x * x)(2.0)
    assert all("argument of a transform" in text for text in texts)


def test_looking_changes_nothing(recwarn):
    y = tracked([1.0]) * 2
    shown(y)
    assert not recwarn.list  # reading y.grad would warn
    y.backward()


NAMES = [
    "<script>alert(1)</script>", "\"><img src=x onerror='alert(1)'>", "a & b &lt; c", "<!-- ",
    "NUL \0 and \x1b[1m", "emoji \U0001f600, \u202e and half \ud83d", "</pre></div>", "x" * 5000,
    "line\nbreak",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names(name):
    from autograd_core.rendering.wording import printable

    x = tracked(np.ones((2, 2)), name=name)
    known = printable(" ".join(name.split()))[:100]
    assert known in shown(x)
    layer = type("<b>Layer", (nn.Module,), {})()
    layer.parts = {name: nn.Parameter(np.ones(3))}
    layer.describe = lambda: name
    assert known in shown(layer)
    optimizer = nn.SGD([{"params": [x], "name": name}], lr=0.1)
    assert known in shown(optimizer)
    history = FlowHistory()
    with history.step() as flow:
        ac.sum(x * np.nan).backward()
    assert known[:20] in shown(flow)
    shown(history)
    shown(compare(**{name: flow, "other": flow}))


def test_what_cannot_be_shown_is_shown_as_text():
    class Broken(nn.Module):
        def describe(self):
            raise ValueError("<planted>")

    checker = Checker(Broken()._repr_html_())
    assert checker.wrong == []
    assert "Broken is shown as text. ValueError: <planted>" in checker.text
    model = nn.Module()
    model.held = {nn.Linear(2, 2)}
    assert "parameters are not found" in Checker(model._repr_html_()).text


def test_modules():
    model = nn.Sequential(nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 10)).eval()
    model[2].bias.requires_grad = False
    text = shown(model)
    assert "39,760 numbers in 4 parameters · 318 kB · float64 · cpu · 10 not trainable" in text
    assert "weight (50, 784), bias (50,)39,250" in text
    assert "bias (10,) (not trainable)" in text
    assert "evaluation mode" in text
    assert "0 numbers in 0 parameters" in shown(nn.ReLU())
    deep_one = nn.Sequential(*(nn.Linear(2, 2) for _ in range(500)))
    text = shown(deep_one)
    assert "442 rows in the middle not shown" in text
    assert "499Linear" in text
    shared = nn.Sequential(model[0], model[0])
    assert shown(shared).count("(50, 784)") == 1
    shown(model.to("cpu").half())


def test_optimizers_and_schedules():
    model = nn.Linear(3, 2)
    groups = [{"params": [model.weight], "lr": 0.5, "name": "weights"}, {"params": [model.bias]}]
    optimizer = nn.AdamW(groups, lr=1e-3)
    text = shown(optimizer)
    assert "0 of 2 parameters have a gradient" in text
    assert "weights160.5" in text
    assert "1120.001" in text
    assert "learning rate 0.5, 0.001 · after 0 steps" in shown(nn.StepLR(optimizer, step_size=3))
    for schedule in (
        nn.LambdaLR(optimizer, lambda t: 1.0),
        nn.OneCycleLR(optimizer, 0.1, total_steps=5),
        nn.ReduceLROnPlateau(optimizer),
    ):
        shown(schedule)
    shown(nn.LBFGS(model.parameters()))
    many = nn.SGD([{"params": [nn.Parameter(np.ones(1))]} for _ in range(99)], lr=0.1)
    assert "40 rows in the middle not shown" in shown(many)


def test_flows():
    flow = flow_of(deep(nn.Sigmoid))
    text = shown(flow)
    assert "vanishing" in text
    assert "Linear 40" in text
    assert "a: vanishing" in shown(compare(a=flow, b=flow_of(deep(nn.ReLU))))
    with record_flow() as empty:
        assert "no backward pass" in shown(empty)
    assert "no backward pass" in shown(empty)
    x = tracked([1.0])
    for _ in range(300):
        x = np.random.default_rng().choice([ac.sin, ac.cos, ac.tanh])(x)
    with record_flow() as flow:
        x.backward()
    assert shown(flow).count("(1,)") < 62


def test_histories(monkeypatch):
    history = FlowHistory()
    assert "0 of 0 steps" in shown(history)
    for factor in (1.0, 0.0):
        with history.step():
            ac.sum(tracked([1.0], name="x") * factor).backward()
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: plots are not tested")
    assert "zero at" in shown(history)
    assert "img" in Checker(history._repr_html_()).attributes
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    plots._kind.cache_clear()
    assert "least" in shown(history)
    assert "img" not in Checker(history._repr_html_()).attributes


def test_a_plot_is_a_picture():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: plots are not tested")
    figure = flow_of(deep(nn.Tanh, layers=2)).plot()
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert figure._repr_html_() is None
    for same in (pickle.loads(pickle.dumps(figure)), copy.deepcopy(figure)):
        assert type(same) is type(figure)
        assert same._repr_png_().startswith(b"\x89PNG")


def test_a_page_in_a_frame():
    x = tracked([1.0], name="</iframe> \"'")
    drawing = draw(ac.tanh(x))
    frame = drawing.show(height=321)
    checker = Checker(frame._repr_html_())
    assert checker.wrong == []
    assert checker.text == ""
    given = checker.attributes["iframe"]
    assert given["sandbox"] == "allow-scripts"
    assert given["srcdoc"] == drawing.html()
    assert "height: 321px" in given["style"]
    assert 'drawing.save("graph.html")' in repr(frame)
    for height in (0, "100%", 2.5):
        with pytest.raises(ArgumentError, match="height must be"):
            drawing.show(height)


def test_a_traceback_without_ipython(monkeypatch):
    def multiplied(x):
        return x @ x

    with pytest.raises(ac.ShapeError) as caught:
        multiplied(tracked(np.ones((2, 3))))
    before = caught.value.__traceback__
    text = "".join(caught.value._render_traceback_())
    assert "ShapeError: matmul" in text
    assert "in multiplied" in text
    assert "<operation matmul>" not in text
    monkeypatch.setenv("AUTOGRAD_CORE_FULL_TRACEBACK", "1")
    assert "<operation matmul>" in "".join(rendered(caught.value))
    assert caught.value.__traceback__ is before
    assert "ShapeError: none was raised" in "".join(rendered(ac.ShapeError("none was raised")))
