"""Makes requests with other ids than it has connected with. Usage: setuid.py SOCKET"""
import os
import sys
from guest import ask, connect

path = sys.argv[1]


def connect_as(real, effective):
    os.setresuid(real, effective, 0)
    connection = connect(path)
    os.setresuid(0, 0, 0)
    return connection


print('user, then root:', ask(connect_as(1000, 1000)))
print('root, with a user as the real one:', ask(connect_as(1000, 0)))
print('user, with root as the real one:', ask(connect_as(0, 1000)))
connection = connect(path)
os.setresuid(1000, 1000, 1000)
print('root, then user:', ask(connection))
