"""Programs on several machines, on MPI: operations between ranks, which have derivatives, and
training with a part of the data on each rank.

    mpiexec -n 4 python -m mpi4py program.py

Needs ``pip install 'autograd-core[mpi]'``. Without `mpiexec`, a program is one rank, and needs no
MPI.
"""

from nn.distributed.collectives import *
from nn.distributed.messages import *
from nn.distributed.normalization import *
from nn.distributed.parallel import *
from nn.distributed.world import *
