"""Figures that the model cannot be asked for, each with the reason; and those that it was made of."""

from __future__ import annotations

from tests.validation.row import NotAsked

IMAGES = "images, layers, disks and networks are not modelled: a start begins with the image there"
NOT_ASKED: tuple[NotAsked, ...] = (
    NotAsked(
        "S containerd 0.2 README 2015",
        "ms of a start: min 23, median 73, mean 78, sd 34, p75 91, p95 123, p99 287, max 355",
        "the host is not known; the number of starts under way, which owes nothing to it, is asked above",
    ),
    NotAsked(
        "S bucketbench README", "runc alone 8.38, 15.85, 23.0 rounds per second", "nobody but an engine calls runc"
    ),
    NotAsked(
        "S bucketbench README",
        "dockerd burns 1.84 to 2.85 times containerd's CPU",
        "use of cores by program is not kept",
    ),
    NotAsked(
        "S bucketbench README",
        "RSS of containerd 41 to 46 MB, of dockerd 64 to 73 MB",
        "an input: beside the sizes that roles say (`Role.rss`)",
    ),
    NotAsked(
        "S moby#38301",
        "start of dockerd with 20,000 dead containers: 6 min, then under 1 min",
        "an input: 18 ms and 3 ms a container (`load_each`) come from it",
    ),
    NotAsked(
        "S moby#30520, #31462, #35730",
        "start of dockerd 15 min; 15 to 20 min with many images; 13,000 containers",
        "how many containers or images there were is not told, or for an engine without `load_each`",
    ),
    NotAsked("S moby#39733", "100 Windows containers, about 8 min either way", "not Linux"),
    NotAsked(
        "S kubernetes#3312",
        "about 100 JVM containers: all at once take twice as long, one a core 25 to 40 % less; after a "
        "reboot 5 to 8 times as long",
        "what a container's own program does with cores and disks is not modelled",
    ),
    NotAsked(
        "S arXiv 2602.15214",
        "cold starts; standard HDD; macOS Docker Desktop; disk class 2.04×; image size 2.5 %",
        IMAGES,
    ),
    NotAsked(
        "S arXiv 2602.15214", "creation of namespaces 7.9 ms (sd 2.05)", "inside runc create, which is one op there"
    ),
    NotAsked("S CCGrid 2023, Straesser et al.", "starts of 200,986 images, 100s of ms to 10s of s", IMAGES),
    NotAsked("S Slacker, FAST 2016", "pulling is 76 % of a start, 6.4 % of the data is read", IMAGES),
    NotAsked("S SOCK, ATC 2018", "18 times as quick as Docker", "another container system"),
    NotAsked(
        "S Particle, SoCC 2020", "setting up the network is up to 84 % of a start", "overlay networks are not modelled"
    ),
    NotAsked(
        "S RunD, ATC 2022",
        "more than 200 secure containers per second, 2,500 a node",
        "their containers have kernels of their own",
    ),
    NotAsked(
        "S crun README, youki README",
        "crun 16.9 ms or 47.3 ± 2.8 ms, youki 111.5 ± 11.6 ms",
        "an input: crun's time is what `podman-idle` divides; youki is not modelled",
    ),
    NotAsked(
        "S kiri bench (OrbStack)",
        "run --rm 325 ms, run -d 205 ms, docker(1) 19 ms",
        "the client is outside of the model",
    ),
    NotAsked("S techplained", "start of a pod 340 ms with dockerd", "no kubelet asks dockerd here"),
    NotAsked("S moby#34328", "100 proxies 116 MB", "an input: the size of a proxy before 18.09"),
    NotAsked(
        "S moby#23166, #16284",
        "12,000 proxies lock a host",
        "a host that runs out of memory has no limit of processes here",
    ),
    NotAsked("S moby PR #7548", "a proxy has 10.7 MB", "an engine before containerd, which is not modelled"),
    NotAsked(
        "S faas-sim", "starts on a NUC 1.43 to 2.56 s, on a Pi 2.55 to 30.9 s; absent images 21 to 1,629 s", IMAGES
    ),
    NotAsked("K Azure Functions traces 2019, 2021", "arrivals", "a workload, not a figure"),
    NotAsked("M sequential_*.csv, api_create_s", "create 5.4 ms, p95 7.1 ms", "the model's create takes no time"),
    NotAsked(
        "M sequential_*.csv, d_startedat",
        "StartedAt less execve −0.5 to 2.9 ms",
        "dockerd's clock readings are not kept apart",
    ),
    NotAsked(
        "M memory_threads.csv",
        "memory of the program; of runc and the hook at most",
        "sizes are of programs that stay",
    ),
)
