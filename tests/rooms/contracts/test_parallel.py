"""Same bits whoever runs the chunks, whatever dies on the way, and however often the run is stopped."""

import functools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sozai.contracts.errors import InputError
from sozai.contracts.model_file import digest, load_model
from sozai.contracts.parallel import run_chunks
from sozai.contracts.records import Failure

try:
    from joblib.externals import cloudpickle  # joblib before 1.6 brings its own
except ImportError:
    import cloudpickle

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers need not find the tests

CHUNKS = list(range(1, 13))


def draw(n, rng):
    """Random numbers and a matrix product: both would show who computed them."""
    matrix = rng.normal(size=(40, 40 + n))
    return {"sum": rng.normal(size=n).sum(), "gram": matrix @ matrix.T, "n": n}


def square(x):
    return x * x


def scaled(factor, x):
    return factor * x


def logged(log, n, rng):
    """``draw``, and a line in a file for each call."""
    with open(log, "a") as file:
        file.write(f"{n}\n")
    return draw(n, rng)


def die_once(flag, n, rng):
    if n == 5 and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(n, rng)


def die_always(n, rng):
    if n == 5:
        time.sleep(0.5)  # a worker that dies while it starts is not started again by Dask
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(n, rng)


def slow_draw(n, rng):
    time.sleep(0.1)
    return draw(n, rng)


def own_process(_):
    return os.getpid()


def fail(x):
    raise InputError(f"chunk must not be {x}")


@pytest.fixture(scope="module")
def serial():
    return run_chunks(draw, CHUNKS, seed=3)


@pytest.mark.parametrize(
    ("backend", "n_jobs"), [("loky", 2), ("loky", 4), ("threading", 2), ("threading", 5)]
)
def test_same_bits_on_every_backend(serial, backend, n_jobs):
    with joblib.parallel_config(backend=backend):
        assert digest(run_chunks(draw, CHUNKS, seed=3, n_jobs=n_jobs)) == digest(serial)


def test_threads_are_taken_where_preferred_and_no_backend_was_chosen(serial):
    assert digest(run_chunks(draw, CHUNKS, seed=3, n_jobs=2, prefer="threads")) == digest(serial)
    assert set(run_chunks(own_process, range(4), n_jobs=2, prefer="threads")) == {os.getpid()}
    with joblib.parallel_config(backend="loky"):
        assert os.getpid() not in run_chunks(own_process, range(4), n_jobs=2, prefer="threads")


def test_the_number_of_workers_may_come_from_the_user_s_configuration(serial):
    with joblib.parallel_config(backend="threading", n_jobs=3):
        assert digest(run_chunks(draw, CHUNKS, seed=3)) == digest(serial)


@given(st.lists(st.integers(-9, 9), max_size=12), st.integers(1, 4))
def test_results_come_in_the_order_of_the_chunks(chunks, n_jobs):
    with joblib.parallel_config(backend="threading"):
        assert run_chunks(square, chunks, n_jobs=n_jobs) == [x * x for x in chunks]


def test_each_chunk_has_a_stream_of_its_own(serial):
    sums = {result["sum"] for result in run_chunks(draw, [4] * 10, seed=0)}
    assert len(sums) == 10
    longer = run_chunks(draw, [*CHUNKS, 99], seed=3)
    assert digest(longer[:-1]) == digest(serial)


def test_a_seed_sequence_is_a_seed_and_is_left_as_it_was(serial):
    root = np.random.SeedSequence(3)
    assert digest(run_chunks(draw, CHUNKS, seed=root)) == digest(serial)
    assert root.n_children_spawned == 0
    child = root.spawn(1)[0]
    assert digest(run_chunks(draw, [3, 4], seed=child)) == digest(run_chunks(draw, [3, 4], seed=child))


def test_the_seed_is_that_of_spawn():
    expected = [np.random.default_rng(child).normal() for child in np.random.SeedSequence(8).spawn(3)]
    assert run_chunks(lambda _, rng: rng.normal(), [0, 0, 0], seed=8) == expected


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_an_exception_of_the_function_is_the_caller_s(backend):
    with joblib.parallel_config(backend=backend, n_jobs=2), pytest.raises(InputError, match="must not be 7"):
        run_chunks(fail, [7, 7, 7])


def test_linear_algebra_has_one_thread_inside_and_its_own_number_again_outside():
    import threadpoolctl

    def threads(_=None):
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]

    before = threads()
    assert set(run_chunks(threads, [0])[0]) == {1}
    assert threads() == before


# --- death -------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_chunk_whose_worker_died_is_tried_again(serial, tmp_path, caplog):
    function = functools.partial(die_once, str(tmp_path / "flag"))
    assert digest(run_chunks(function, CHUNKS, seed=3, n_jobs=2)) == digest(serial)
    assert "A worker died while it ran die_once" in caplog.text


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_chunk_that_kills_every_worker_is_a_failure_and_the_others_are_done(serial):
    results = run_chunks(die_always, CHUNKS, seed=3, n_jobs=2, retries=1)
    failure = results.pop(4)
    assert isinstance(failure, Failure)
    assert (failure.index, failure.name, failure.kind) == (4, "die_always", "TerminatedWorkerError")
    assert "died each of the 1 times it ran this chunk alone" in failure.message
    assert repr(failure).startswith("Failure: die_always, chunk 4: The worker process died")
    assert digest(results) == digest(serial[:4] + serial[5:])


DASK = """
    import json, os, signal, sys
    import dask, joblib
    from distributed import Client, LocalCluster
    from sozai.contracts.model_file import digest
    from sozai.contracts.parallel import run_chunks
    from workers import die_always, draw, slow_draw

    class KillOne:
        def __init__(self, cluster):
            self.steps, self.pid = 0, next(iter(cluster.workers.values())).pid

        def advance(self, n=1):
            self.steps += n
            if self.steps == 4:
                os.kill(self.pid, signal.SIGKILL)

    if __name__ == "__main__":
        chunks = list(range(1, 13))
        serial = run_chunks(draw, chunks, seed=3)
        found = {}
        dask.config.set({"distributed.scheduler.allowed-failures": 0})  # one death is enough
        dask.config.set({"distributed.deploy.lost-worker-timeout": "10 minutes"})  # wait for the next one
        with (
            LocalCluster(
                n_workers=2,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
            ) as cluster,
            Client(cluster),
            joblib.parallel_config(backend="dask"),
        ):
            killer = KillOne(cluster)
            killed = run_chunks(slow_draw, chunks, seed=3, store=sys.argv[1], progress=killer)
            found["same bits"] = digest(killed) == digest(serial)
            found["killed"] = killer.pid not in {worker.pid for worker in cluster.workers.values()}
            found["plain"] = digest(run_chunks(draw, chunks, seed=3)) == digest(serial)
            always = run_chunks(die_always, chunks, seed=3, retries=1)
            found["failure"] = [always[4].index, always[4].kind]
            found["others"] = digest(always[:4] + always[5:]) == digest(serial[:4] + serial[5:])
        print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_dask_with_a_worker_killed_in_the_middle(tmp_path, serial):
    """Two worker processes, one of them killed: results are those of one process, to the bit."""
    pytest.importorskip("distributed")
    source = Path(__file__).read_text(encoding="utf-8")
    names = ["draw", "slow_draw", "die_always"]
    functions = [source[source.index(f"def {name}(") :].split("\n\n\n")[0] for name in names]
    header = "import os, signal, time"
    (tmp_path / "workers.py").write_text("\n\n\n".join([header, *functions]) + "\n", encoding="utf-8")
    (tmp_path / "script.py").write_text(textwrap.dedent(DASK), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "script.py", str(tmp_path / "store")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "same bits": True,
        "killed": True,
        "plain": True,
        "failure": [4, "KilledWorker"],
        "others": True,
    }
    stored = [load_model(tmp_path / "store" / f"chunk-{k:06d}.zip", "chunk")["result"] for k in range(12)]
    assert digest(stored) == digest(serial)


# --- the store ---------------------------------------------------------------------------------------


def test_a_stopped_run_goes_on_where_it_was_with_the_same_bits(tmp_path, serial):
    store, log = tmp_path / "store", tmp_path / "log"
    log.touch()
    with pytest.raises(KeyboardInterrupt):
        run_chunks(functools.partial(logged, str(log)), CHUNKS, seed=3, store=store, progress=StopAfter(5))
    assert sorted(path.name for path in store.iterdir()) == [
        *(f"chunk-{k:06d}.zip" for k in range(6)),
        "plan.json",
    ]
    results = run_chunks(functools.partial(logged, str(log)), CHUNKS, seed=3, store=store)
    assert digest(results) == digest(serial)
    assert sorted(map(int, log.read_text().split())) == CHUNKS  # every chunk ran once
    again = run_chunks(functools.partial(logged, str(log)), CHUNKS, seed=3, store=store)
    assert digest(again) == digest(serial)
    assert len(log.read_text().split()) == len(CHUNKS)


class StopAfter:
    """A watcher that presses Ctrl-C after ``n`` chunks."""

    def __init__(self, n):
        self.left = n

    def advance(self, n=1):
        self.left -= n
        if self.left < 0:
            raise KeyboardInterrupt


INTERRUPTED = """
    import os, sys, time
    from sozai.contracts.parallel import run_chunks

    def slow(n, rng):
        time.sleep(0.05)
        return {"values": rng.normal(size=50_000), "n": n}

    if __name__ == "__main__":
        print("ready", flush=True)
        run_chunks(slow, list(range(40)), seed=1, store=sys.argv[1], n_jobs=int(sys.argv[2]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs signals of POSIX")
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.usefixtures("ctrl_c")
def test_no_half_written_chunk_after_a_signal(tmp_path, n_jobs, sent):
    store = tmp_path / "store"
    (tmp_path / "script.py").write_text(textwrap.dedent(INTERRUPTED))
    process = subprocess.Popen(
        [sys.executable, "script.py", str(store), str(n_jobs)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdout.readline() == b"ready\n"
        end = time.monotonic() + 60
        while len(list(store.glob("chunk-*.zip"))) < 3 and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(sent)
        assert process.wait(timeout=60) != 0
    finished = sorted(store.glob("chunk-*.zip"))
    assert 3 <= len(finished) < 40
    for path in finished:
        assert load_model(path, "chunk")["result"]["n"] == int(path.stem[-6:])
    if sent == signal.SIGINT:
        assert not list(store.glob(".*"))


def test_a_damaged_chunk_is_computed_again(tmp_path, serial, caplog):
    run_chunks(draw, CHUNKS, seed=3, store=tmp_path)
    path = tmp_path / "chunk-000002.zip"
    path.write_bytes(path.read_bytes()[:-10])
    assert digest(run_chunks(draw, CHUNKS, seed=3, store=tmp_path)) == digest(serial)
    assert "Chunk 2 is computed again" in caplog.text
    assert load_model(path, "chunk")["result"]["n"] == 3


def message_of(*args, **kwargs):
    with pytest.raises(InputError) as caught:
        run_chunks(*args, **kwargs)
    return str(caught.value)


def test_a_store_of_another_run_is_refused_with_what_differs(tmp_path):
    run_chunks(draw, [1, 2, 3], seed=3, store=tmp_path)
    message = message_of(draw, [1, 2, 3, 4], seed=4, store=tmp_path)
    assert "store must belong to this run (chunks 4, seed ['4']" in message
    assert f"Got '{tmp_path}' with chunks 3, seed ['3']" in message
    assert message.endswith("Delete the folder or choose another.")
    assert "function" not in message
    for other in (
        functools.partial(run_chunks, functools.partial(logged, "x"), [1, 2, 3], seed=3),
        functools.partial(run_chunks, draw, [1, 2, 4], seed=3),
        functools.partial(run_chunks, draw, [1, 2, 3.0], seed=3),
    ):
        with pytest.raises(InputError, match="belong to this run"):
            other(store=tmp_path)
    (tmp_path / "plan.json").write_text("no plan")
    assert "with function None" in message_of(draw, [1, 2, 3], seed=3, store=tmp_path)


def test_data_bound_to_the_function_are_part_of_the_run(tmp_path):
    first = run_chunks(functools.partial(scaled, np.array([1.0, 2.0])), [1, 2], store=tmp_path)
    assert [result.tolist() for result in first] == [[1, 2], [2, 4]]
    with pytest.raises(InputError, match="content"):
        run_chunks(functools.partial(scaled, np.array([1.0, 3.0])), [1, 2], store=tmp_path)


def test_functions_a_store_cannot_name_are_refused(tmp_path):
    for function in (lambda x: x, "abc".count, functools.partial(lambda x: x)):
        message = message_of(function, [1], store=tmp_path)
        assert "function must be a module-level function, or functools.partial of one" in message
    assert list(tmp_path.iterdir()) == []


def test_what_a_store_cannot_hold_is_named(tmp_path):
    assert "the result of chunk 0 must be plain data" in message_of(set, ["ab"], store=tmp_path / "a")
    assert "chunk 1 must be plain data" in message_of(len, ["ab", {1, 2}], store=tmp_path / "b")
    bound = functools.partial(scaled, {1, 2})
    assert "the data bound to the function must be plain data" in message_of(bound, [1], store=tmp_path / "c")


def test_without_a_store_anything_goes():
    assert run_chunks(set, ["ab", "b"]) == [{"a", "b"}, {"b"}]
    assert run_chunks(square, []) == []
