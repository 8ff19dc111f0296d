"""The example with Adam learns: two epochs on a part of the images."""

from examples import mnist_adam


def test_two_epochs_on_a_part(capsys):
    mnist_adam.main(["--quick"])
    printed = capsys.readouterr().out
    assert printed.count("validation") == 2
    assert float(printed.rpartition("test: ")[2].strip().rstrip("%")) > 93
