"""`python -m tests.fuzz`: hostile inputs for every entry; exit code 1 if one of them does what no input may do."""

import argparse
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice

from tests.fuzz.running import Case, Outcome, run_cases


def main() -> int:
    """Run what the command line asks for, print what was found, and return the exit code."""
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[threads] = "1"  # threads do not survive a fork; libraries read it when they are imported
    os.environ["HF_HUB_OFFLINE"] = "1"
    from tests.fuzz import materials
    from tests.fuzz.entries import ENTRIES, prepare

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=3_000, help="how many, divided among the entries")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--entry", action="append", choices=ENTRIES, help="only this one; repeatable")
    parser.add_argument("--case", metavar="ENTRY:NUMBER", action="append", help="only this one, as a report names it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--all", action="store_true", help="print refusals and acceptances, too")
    options = parser.parse_args()
    cases = [_case(text, options.seed) for text in options.case or ()]
    chosen = [name for name in options.entry or ENTRIES for _ in range(ENTRIES[name].share)]
    cases = cases or list(_cases(chosen, options.inputs, options.seed))
    outcomes = []
    with materials.folder_of_this_run():
        prepare({case.entry for case in cases})
        for outcome in run_cases(cases, ENTRIES, options.processes):
            outcomes.append(outcome)
            if options.all or options.case or outcome.is_fault:  # faults at once: a run may be stopped before its end
                print(f"{outcome.case} {outcome.kind} [{outcome.name}] {outcome.detail}", flush=True)
    faults = [outcome for outcome in outcomes if outcome.is_fault]
    _report(outcomes, faults)
    return 1 if faults else 0


def _case(text: str, seed: int) -> Case:
    entry, _, number = text.partition(":")
    return Case(entry, None if number == "valid" else int(number), seed)


def _cases(names: Sequence[str], inputs: int, seed: int) -> Iterator[Case]:
    """Yield the valid input of each entry, then as many spoiled ones, of the entries in turn."""
    yield from (Case(name, None, seed) for name in dict.fromkeys(names))
    numbers: Counter[str] = Counter()
    for name in islice(cycle(names), inputs):
        yield Case(name, numbers[name], seed)
        numbers[name] += 1


def _report(outcomes: Iterable[Outcome], faults: Sequence[Outcome]) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        counts[outcome.case.entry][outcome.kind] += 1
    for entry, kinds in counts.items():
        print(f"{entry:16} {', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}")
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for fault in faults:
        groups[_group(fault)].append(fault)
    for group, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        cases = " ".join(str(each.case) for each in members[:8])
        print(f"\n{len(members)} x {group}\n  {cases}\n  {members[0].name[:300]}\n{members[0].detail[-1500:]}")
    print(f"\n{sum(map(Counter.total, counts.values()))} inputs, {len(faults)} faults in {len(groups)} places")


def _group(fault: Outcome) -> str:
    """What faults of one cause have in common: the kind, the last line of ours, and the type of the exception."""
    ours = re.findall(r'/(masklet/[\w/]+\.py)", line (\d+)', fault.detail)
    ended = re.findall(r"^(\w[\w.]*)(?::|$)", fault.detail, re.MULTILINE)
    place = ":".join(ours[-1]) if ours else fault.case.entry
    return f"{fault.kind} {place} {ended[-1] if ended else ''}"


if __name__ == "__main__":
    sys.exit(main())
