"""A repository, its server and a client for each test."""
import os
import pathlib
import shutil
import tempfile

import pytest

import simulator
import tufclient


def pytest_report_header():
    return f"client: {' '.join(tufclient.PROGRAM)}"


def pytest_configure(config):
    if "SUTURE_TUF" not in os.environ and not pathlib.Path(tufclient.PROGRAM[0]).exists():
        raise pytest.UsageError(f"{tufclient.PROGRAM[0]} is not built; SUTURE_BUILD names the build directory")


@pytest.fixture
def work():
    path = pathlib.Path(tempfile.mkdtemp(prefix="suture-tuf.", dir="/var/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def repository():
    return simulator.Repository()


@pytest.fixture
def make_client(work):
    """Serve a repository and make a client that knows its first root."""
    servers = []

    def make(repository, init=True):
        server = simulator.Server(repository)
        servers.append(server)
        directory = work / f"client-{len(servers)}"
        directory.mkdir()
        client = tufclient.Client(directory, server)
        if init:
            assert client.init() == 0, client.stderr
        return client

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def client(make_client, repository):
    return make_client(repository)


@pytest.fixture
def server(client):
    return client.server
