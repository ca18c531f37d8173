# SPDX-License-Identifier: MIT
"""Networks of ours in other programs, and theirs in ours. Usage: doors.py PROGRAM FOLDER."""

import os
import subprocess
import sys

import nir
import numpy as np

program, folder = sys.argv[1:3]
os.makedirs(folder, exist_ok=True)
DT, DURATION, INPUTS, HIDDEN, CLASSES, SAMPLES = 0.1, 100.0, 12, 40, 3, 24


def run(*arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"doors: {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def place(*names):
    return os.path.join(folder, *names)


def data(name, seed, count, noise=1):
    """Spikes of three classes: each fires its own units early."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, count)
    rows = []
    for sample, label in enumerate(labels):
        for unit in range(INPUTS):
            late = 10 + 25 * ((unit + 4 * label) % INPUTS) / INPUTS
            for wave in (0, 40):
                rows.append((sample, unit, round((late + wave + abs(random.normal(0, noise))) / DT) * DT))
    rows = np.array(rows)
    os.makedirs(place(name), exist_ok=True)
    np.save(place(name, "spikes.npy"), rows)
    np.save(place(name, "labels.npy"), labels.astype("u1"))
    return rows, labels


data("data", 1, 300)
spikes, labels = data("data/test", 2, SAMPLES)
PRESET = f"""
name = "doors"
seed = 1
[data]
kind = "npy"
path = "{place('data')}"
[simulation]
duration = {DURATION}
step = {DT}
[[hidden]]
size = {HIDDEN}
recurrent = RECURRENT
weights = {{ mean = 0.6, sd = 0.5 }}
recurrent_weights = {{ mean = 0.0, sd = 0.1 }}
[output]
weights = {{ mean = 0.0, sd = 0.2 }}
[training]
epochs = 12
"""


def ours(network, preset):
    """Hidden spikes per sample and neuron of a run's weights, by our grid."""
    case = place(network + "-case")
    os.makedirs(os.path.join(case, "weights"), exist_ok=True)
    run("export", place(network), "--to", "npz", "--out", place(network + ".npz"))
    arrays = np.load(place(network + ".npz"))
    for name in arrays.files:
        np.save(os.path.join(case, "weights", name + ".npy"), arrays[name])
    np.save(os.path.join(case, "spikes.npy"), spikes)
    np.save(os.path.join(case, "labels.npy"), labels.astype(np.int64))
    with open(os.path.join(case, "preset.toml"), "w") as file:
        file.write(preset)
    run("gradient", case, "--out", os.path.join(case, "out"))
    rows = np.load(os.path.join(case, "out", "spikes", "hidden1.npy"))
    counts = np.zeros((SAMPLES, HIDDEN))
    np.add.at(counts, (rows[:, 0].astype(int), rows[:, 1].astype(int)), 1)
    return counts


def report(name, a, b):
    print(f"doors: {name}: {int(a.sum())} hidden spikes here, {int(b.sum())} there; "
          f"{int(np.abs(a - b).sum())} of another neuron or trial")
    return np.abs(a - b).sum() / a.sum()


def steps():
    """Inputs as steps x samples x units."""
    grid = np.zeros((round(DURATION / DT), SAMPLES, INPUTS), dtype=np.float32)
    for sample, unit, time in spikes:
        grid[round(time / DT), int(sample), int(unit)] += 1
    return grid


def snntorch_counts(path):
    """Hidden spikes per sample and neuron by snnTorch, whose steps are 0.1 ms."""
    import contextlib
    import io

    import snntorch
    import torch
    from snntorch.import_nir import import_from_nir

    with contextlib.redirect_stdout(io.StringIO()):
        network = import_from_nir(nir.read(path))
    counts = []

    def hook(module, inputs, output):
        spikes = output[0] if isinstance(output, tuple) else output
        counts.append(spikes.detach().numpy())

    for module in network.modules():
        if isinstance(module, (snntorch.Synaptic, snntorch.RSynaptic)):
            module.register_forward_hook(hook)
    state = None
    with torch.no_grad():
        for row in torch.tensor(steps()):
            out = network(row, state)
            state = out[1] if isinstance(out, tuple) else None
    return np.sum(counts, axis=0)


for kind in ("feed-forward", "recurrent"):
    preset = PRESET.replace("RECURRENT", "true" if kind == "recurrent" else "false")
    if kind != "recurrent":
        preset = "\n".join(l for l in preset.splitlines() if not l.startswith("recurrent_"))
    with open(place(kind + ".toml"), "w") as file:
        file.write(preset)
    run("train", place(kind + ".toml"), "--out", place(kind))
    here = ours(kind, preset)
    accuracy = [line for line in run("evaluate", place(kind)).splitlines() if "accuracy" in line]
    for arguments in (
        ["--dialect", "pure"], ["--dialect", "pure", "--nested", "--readout", "cubali"],
        ["--dialect", "step", "--dt", str(DT), "--nested"],
        ["--dialect", "brainscales", "--time-unit", "ms"],
    ):
        name = place(kind + ".nir")
        run("export", place(kind), "--to", "nir", "--out", name, *arguments)
        graph = nir.read(name)
        assert {"input", "fc1", "hidden1", "fc2", "output"} <= set(graph.nodes), graph.nodes
        back = place(kind + "-back")
        subprocess.run(["rm", "-rf", back], check=True)
        run("import", name, "--data", place(kind + ".toml"), "--out", back)
        again = [line for line in run("evaluate", back).splitlines() if "accuracy" in line]
        assert accuracy == again, (kind, arguments, accuracy, again)
        there = ours(kind + "-back", preset)
        share = report(f"{kind} {' '.join(arguments)}, back here", here, there)
        assert share < 0.002, share
    print(f"doors: {kind}: nir reads all, {accuracy[0].strip()} before and after")
    try:
        import snntorch  # noqa: F401
    except ImportError:
        print("doors: snnTorch is not at hand: not tried")
        continue
    name = place(kind + "-step.nir")
    run("export", place(kind), "--to", "nir", "--out", name, "--dialect", "step", "--dt", str(DT),
        "--nested")
    share = report(f"{kind} in snnTorch", here, snntorch_counts(name))
    assert share < 0.05, share


def trained_by_snntorch():
    """A network that snnTorch trains at steps of 1 ms, here: its accuracy, and spikes created and deleted."""
    import contextlib
    import io

    import snntorch
    import torch
    from snntorch import surrogate
    from snntorch.export_nir import export_to_nir

    torch.manual_seed(1)
    torch.set_num_threads(1)
    step, alpha, beta = 1.0, 0.8, 0.95
    rows, labels = data("coarse", 3, 300, 16)
    tests, answers = data("coarse/test", 4, 400, 16)
    for name in ("coarse", "coarse/test"):
        grid = np.load(place(name, "spikes.npy"))
        grid[:, 2] = np.minimum(np.round(grid[:, 2]), DURATION - 1)
        np.save(place(name, "spikes.npy"), grid)

    def frames(rows, count):
        grid = torch.zeros(round(DURATION / step), count, INPUTS)
        for sample, unit, time in rows:
            grid[round(time / step), int(sample), int(unit)] += 1
        return grid

    first = torch.nn.Linear(INPUTS, HIDDEN, bias=False)
    neurons = snntorch.Synaptic(
        alpha=alpha, beta=beta, threshold=1.0, reset_mechanism="zero", reset_delay=False,
        spike_grad=surrogate.fast_sigmoid(slope=10))
    last = torch.nn.Linear(HIDDEN, CLASSES, bias=False)
    torch.nn.init.normal_(first.weight, 0.02, 0.02)

    def run_net(grid):
        syn, mem = neurons.init_synaptic()
        out_syn = out_mem = total = 0
        for row in grid:
            spk, syn, mem = neurons(first(row), syn, mem)
            out_syn = alpha * out_syn + last(spk)
            out_mem = beta * out_mem + out_syn
            total = total + out_mem
        return total / len(grid)

    optimiser = torch.optim.Adam([*first.parameters(), *last.parameters()], 5e-3)
    grid, target = frames(np.load(place("coarse", "spikes.npy")), 300), torch.tensor(labels)
    for _ in range(12):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(run_net(grid), target).backward()
        optimiser.step()
    with torch.no_grad():
        there = (run_net(frames(np.load(place("coarse/test", "spikes.npy")), 400)).argmax(1).numpy()
                 == answers).mean()
    with contextlib.redirect_stdout(io.StringIO()):
        # With its state inside, it passes on spikes alone.
        each = torch.ones(HIDDEN)
        alike = snntorch.Synaptic(alpha=alpha * each, beta=beta * each, threshold=each,
                                  reset_mechanism="zero", init_hidden=True)
        graph = export_to_nir(torch.nn.Sequential(first, alike, last), torch.zeros(INPUTS))
    nir.write(place("snntorch.nir"), graph)
    with open(place("coarse.toml"), "w") as file:
        file.write(open(place("feed-forward.toml")).read()
                   .replace(f'"{place("data")}"', f'"{place("coarse")}"')
                   .replace(f"step = {DT}", f'step = {step}\nreadout = "sampled"')
                   # A spike reaches the outputs a step later here.
                   .replace(f"duration = {DURATION}", f"duration = {DURATION + step}")
                   # Its outputs decay as its neurons do: these are not in the file.
                   .replace("[output]", f"[output]\ntau_mem = {-step / np.log(beta)}\n"
                                        f"tau_syn = {-step / np.log(alpha)}"))
    arguments = [place("snntorch.nir"), "--data", place("coarse.toml"), "--dialect", "step", "--dt",
                 str(step)]
    run("import", *arguments, "--out", place("snntorch"))
    line = [l for l in run("evaluate", place("snntorch")).splitlines() if "accuracy" in l][0]
    here = float(line.split("accuracy")[1].split("%")[0]) / 100
    print(f"doors: trained by snnTorch: {100 * there:.2f} % there, {100 * here:.2f} % here")
    assert there > 0.6 and abs(here - there) <= 0.01, (there, here)
    told = run("diagnose", *arguments, "--updates", "2", "--out", place("diagnosis"))
    print("doors: diagnosed:", told.splitlines()[1].strip())


try:
    import snntorch  # noqa: F401

    trained_by_snntorch()
except ImportError:
    pass


def notebook():
    """The lines of the article, on the runs above."""
    import re

    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                        "Sources/Workbench/Workbench.docc/Interchange.md")
    lines = re.search(r"```python\n(.*?)```", open(page).read(), re.S).group(1)
    run("metrics", place("recurrent"), "--out", place("long.csv"))
    run("diagnose", place("recurrent"), "--updates", "2", "--out", place("diagnosis"))
    lane = sorted(os.listdir(place("recurrent", "checkpoints", "12")))
    lane = next(name for name in lane if not name.endswith(".toml"))
    os.chdir(folder)
    names = {}
    exec(lines.replace("runs/NAME-1", "recurrent").replace("LANE", lane), names)
    assert len(names["accuracy"]) == 12 and names["weights"].shape == (INPUTS, HIDDEN)
    assert names["spikes"].shape == (12, 1) and len(names["ledger"]) == 2
    print(f"doors: pandas: {len(names['metrics'])} epochs, {len(names['ledger'])} updates")


try:
    import pandas  # noqa: F401
except ImportError:
    print("doors: pandas is not at hand: not tried")
else:
    notebook()
