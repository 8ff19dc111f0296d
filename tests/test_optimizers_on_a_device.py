"""Every optimiser on the stand-in for a device: one kernel for each parameter."""

from tests import stand_in
from tests.host import assert_close
from tests.optimizers import every, made, train

cuda = stand_in.cuda


@every
def test_on_a_device(name, options, cuda):
    host, on_host = made(name, options)
    there, on_device = made(name, options)
    for p in there:
        p.data = p.to("cuda").data
    train(host, on_host, 2)
    train(there, on_device, 2)
    with cuda.counting() as counts:
        on_device.step()
    assert counts.launches == len(there), "one kernel for each parameter"
    on_host.step()
    for p, q in zip(there, host, strict=True):
        assert_close(p, q.data, rtol=1e-12, atol=1e-14)
