"""Connections and datagrams of a session, with the addresses that the kernel used."""

from __future__ import annotations

import errno
import socket

from esr_tui.model.events import Network
from tests.e2e.capturing import Capture
from tests.e2e.listening import Listener
from tests.e2e.running import run_python
from tests.e2e.server import Sshd, free_port


def test_a_refused_connection_is_an_event(recorder: Capture, sshd: Sshd) -> None:
    port = free_port()
    recording = run_python(
        recorder,
        sshd,
        """
        import socket, sys
        try:
            socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        except ConnectionRefusedError:
            pass
        """,
        str(port),
    )
    attempt, refused = recording.all(Network, dst_port=port)
    assert (attempt.state, refused.state) == ("attempt", "refused")
    assert refused.return_code == -errno.ECONNREFUSED
    assert (refused.dst_addr, refused.version, refused.pid) == ("127.0.0.1", 4, recording.start.leader)


def test_ipv6_connections_have_their_addresses(recorder: Capture, sshd: Sshd) -> None:
    with Listener("::1") as server:
        recording = run_python(
            recorder,
            sshd,
            """
            import socket, sys
            with socket.create_connection(("::1", int(sys.argv[1]))) as s:
                s.sendall(b"x" * 1000)
                s.recv(1)
            """,
            str(server.port),
        )
    states = [e.state for e in recording.all(Network, dst_port=server.port)]
    assert states == ["attempt", "established", "closed"]
    done = recording.only(Network, state="established")
    assert (done.src_addr, done.dst_addr, done.version, done.src_port) == ("::1", "::1", 6, server.peers[0])
    assert recording.only(Network, state="closed").tx == 1000


def test_an_ipv4_address_in_an_ipv6_socket_reads_as_ipv4(recorder: Capture, sshd: Sshd) -> None:
    with Listener() as server:
        recording = run_python(
            recorder,
            sshd,
            """
            import socket, sys
            s = socket.socket(socket.AF_INET6)
            s.connect(("::ffff:127.0.0.1", int(sys.argv[1])))
            s.close()
            """,
            str(server.port),
        )
    done = recording.only(Network, state="established", dst_port=server.port)
    assert (done.dst_addr, done.version) == ("127.0.0.1", 4)


def test_bytes_of_both_directions_are_told_when_a_connection_closes(recorder: Capture, sshd: Sshd) -> None:
    with Listener() as server:
        recording = run_python(
            recorder,
            sshd,
            """
            import socket, sys
            with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
                s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                while s.recv(4096):
                    pass
            """,
            str(server.port),
        )
    closed = recording.only(Network, state="closed", dst_port=server.port)
    assert (closed.tx, closed.rx) == (18, 44)


def test_an_unreachable_network_is_a_failed_connection(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import socket
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        try:
            s.connect(("192.0.2.1", 9))
        except OSError as error:
            print(error.errno)
        """,
    )
    failed = recording.only(Network, dst_addr="192.0.2.1", state="failed")
    assert failed.dst_port == 9
    assert -failed.return_code in (errno.EINVAL, errno.ENETUNREACH)


def test_listening_and_accepting_are_seen_on_the_servers_side(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import socket
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            accepted, _ = server.accept()
            client.sendall(b"12345")
            accepted.recv(5)
            accepted.close()
            client.close()
        """,
    )
    listening = recording.only(Network, operation="listen")
    accepted = recording.only(Network, operation="accept")
    established = recording.only(Network, operation="connect", state="established")
    assert (listening.state, listening.src_addr) == ("listening", "127.0.0.1")
    assert accepted.src_port == listening.src_port == established.dst_port
    assert accepted.dst_port == established.src_port
    closed = {(e.src_port, e.dst_port): e for e in recording.all(Network, operation="close")}
    assert closed[established.src_port, established.dst_port].tx == 5
    assert closed[listening.src_port, established.src_port].rx == 5
    assert (listening.src_port, 0) in closed, "the listening socket's own end"


def test_datagrams_are_folded_by_destination_and_counted(recorder: Capture, sshd: Sshd) -> None:
    port = free_port(kind=socket.SOCK_DGRAM)
    recording = run_python(
        recorder,
        sshd,
        """
        import socket, sys
        port = int(sys.argv[1])
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", port))
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        for n in range(500):
            s.sendto(b"x" * 10, ("127.0.0.1", port))
        c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        c.connect(("127.0.0.1", port))
        c.send(b"12345")
        c.sendmsg([b"123", b"4567"])
        """,
        str(port),
    )
    sent = recording.all(Network, operation="send", dst_port=port)
    assert sum(e.count for e in sent) == 502
    assert sum(e.tx or 0 for e in sent) == 5000 + 12
    assert len(sent) < 20
    assert {(e.dst_addr, e.protocol, e.state, e.version) for e in sent} == {("127.0.0.1", "udp", "sent", 4)}
    connected = recording.only(Network, operation="connect", dst_port=port)
    assert (connected.state, connected.protocol) == ("connected", "udp")


def test_names_asked_for_are_read_from_queries(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import socket
        def query(name):
            labels = b"".join(bytes([len(p)]) + p for p in name.split(b"."))
            return b"\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0" + labels + b"\\0\\0\\1\\0\\1"
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.sendto(query(b"files.example.org"), ("127.0.0.53", 53))
        s6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s6.sendto(query(b"six.example.org"), ("::1", 53))
        c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        c.connect(("127.0.0.54", 53))
        c.send(query(b"connected.example.org"))
        c.close()
        m = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        m.sendmsg([query(b"message.example.org")], [], 0, ("127.0.0.55", 53))
        """,
    )
    asked = {
        tuple(e.dns): (e.dst_addr, e.version) for e in recording.all(Network, operation="send", dst_port=53)
    }
    assert asked == {
        ("files.example.org",): ("127.0.0.53", 4),
        ("six.example.org",): ("::1", 6),
        ("connected.example.org",): ("127.0.0.54", 4),
        ("message.example.org",): ("127.0.0.55", 4),
    }


def test_queries_sent_together_are_all_seen(recorder: Capture, sshd: Sshd) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.57", 53))
        recording = run_python(
            recorder,
            sshd,
            """
            import ctypes, socket
            class Vector(ctypes.Structure):
                _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]
            class Message(ctypes.Structure):
                _fields_ = [
                    ("name", ctypes.c_void_p), ("name_length", ctypes.c_uint), ("vector", ctypes.POINTER(Vector)),
                    ("vectors", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controls", ctypes.c_size_t),
                    ("flags", ctypes.c_long), ("sent", ctypes.c_long),
                ]
            def query(name):
                labels = b"".join(bytes([len(p)]) + p for p in name.split(b"."))
                return b"\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0" + labels + b"\\0\\0\\1\\0\\1"
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(("127.0.0.57", 53))
            vectors = [Vector(q, len(q)) for q in (query(b"a.example.org"), query(b"aaaa.example.org"))]
            messages = (Message * 2)(*[Message(None, 0, ctypes.pointer(v), 1) for v in vectors])
            assert ctypes.CDLL(None).sendmmsg(s.fileno(), messages, 2, 0x4000) == 2
            """,
        )
    names = [name for e in recording.all(Network, operation="send", dst_port=53) for name in e.dns]
    assert names == ["a.example.org", "aaaa.example.org"]


def test_a_connection_that_ended_before_it_was_accepted_leaves_nothing_behind(
    recorder: Capture, sshd: Sshd
) -> None:
    """A socket lies where an ended one lay: what is known of that one must not be said of the other."""
    recording = run_python(
        recorder,
        sshd,
        """
        import os, socket, struct, sys
        with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
            for _ in range(50):
                client = socket.create_connection(server.getsockname())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
            for _ in range(50):
                server.accept()[0].close()
            made = [socket.create_connection(server.getsockname()) for _ in range(60)]
        """,
    )
    established = recording.all(Network, operation="connect", state="established")
    assert len(established) == 110
    assert {e.dst_port for e in established} == {recording.only(Network, operation="listen").src_port}
    assert len(recording.all(Network, operation="accept")) == 50
    closed = recording.all(Network, operation="close")
    assert len(closed) == 110 + 1, "of the clients' sockets, and of the one that listens"
