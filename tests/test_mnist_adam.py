"""The example with Adam learns: an epoch on a part of the images."""

from examples import mnist_adam


def test_an_epoch_on_a_part(capsys):
    (x, y), valid, _ = mnist_adam.images_and_labels()
    model = mnist_adam.train(x[:10_000], y[:10_000], valid, seed=0, epochs=2)
    assert mnist_adam.accuracy(model, *valid) > 0.93
    assert capsys.readouterr().out.count("validation") == 2
