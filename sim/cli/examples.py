"""The examples below the help of each command.

Source: docs/.
"""

EXAMPLES = """\
examples:
  shimulator run document                      the host of the document, its dockerd killed
  shimulator init my.yaml --compose docker-compose.yml && shimulator run my.yaml
  shimulator run rows                          every row of the transition table, in one table
  shimulator show document --at kill-1s --as ps-axjf
  shimulator plot document -o document.png
  shimulator whatif document --set engine.daemon.live-restore=true
"""
PLOTS = """\
examples:
  shimulator plot document -o document.png
  shimulator plot document document-live-restore -o both.svg       what differs is shaded
  shimulator plot document --seed 1,2 --from kill -o seeds.png
  shimulator plot document --by process --from kill --to kill+5ms -o kill.png
  shimulator plot document --tree --at kill-1s --at kill+500ms -o trees.pdf
"""
WHATIFS = """\
examples:
  shimulator whatif document --set engine.daemon.live-restore=true
  shimulator whatif document --set host.cores=1..4 --set engine.daemon.live-restore=true,false
  shimulator whatif document --set engine.daemon.live-restore=true --faults dockerd,'systemctl restart docker'
  shimulator whatif hosts/*.yaml --set engine.daemon.live-restore=true --csv
  shimulator whatif my.yaml          what its whatif: block asks for (docs/whatif.md)
  shimulator whatif --matrix --design docker-26-separate,podman --explain
  shimulator whatif document --sensitivity       which assumption the answer hangs on
"""
BLASTS = """\
examples:
  shimulator blast document
  shimulator blast my.yaml --only dockerd              a role, a target, an act: told as a story
  shimulator blast my.yaml --seeds 20 -o blast.png -o blast.html
"""
CHECKS = """\
examples:
  shimulator check document --on upgrade --lose none --max-dark 5s
  shimulator check my.yaml --junit report.xml          what its must: list says (docs/check.md)
  shimulator check my.yaml --on "kill dockerd" --on reboot --back-within 2m --github
"""
CALIBRATIONS = """\
examples:
  shimulator calibrate mine.csv --phase start=total_ms -o mine.yaml
  shimulator calibrate docs/measurements/sequential_*.csv --check docs/measurements/parallel.csv --plot fits.png
  docker events --format '{{json .}}' > events.jsonl; shimulator calibrate events.jsonl -o mine.yaml
"""
