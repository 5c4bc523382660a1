"""Solves the programs of hot_bench_search with PuLP and the CBC that it brings, and prints {"ms", "values"}.

Usage: search_peer.py JOB.json
The job: {"k", "seconds", "programs": [{"slots": [[{"value", "costs"}]], "limits"}]}. "ms" is the time of each program's
k best, building the model included; "values" what they are worth, in integers, the best first (CBC sometimes finds a
better one after a worse one). The next best comes from one more row that forbids the last one. A solve that takes longer
than "seconds" ends its program: its "ms" is null.
"""
import json
import sys
import time

import pulp


class Timeout(Exception):
    pass


def k_best(program, k, seconds):
    problem = pulp.LpProblem("program", pulp.LpMaximize)
    slots = program["slots"]
    picks = [[pulp.LpVariable(f"x_{s}_{i}", cat="Binary") for i in range(len(slot))] for s, slot in enumerate(slots)]
    flat = [(x, choice) for row, slot in zip(picks, slots) for x, choice in zip(row, slot)]
    problem += pulp.lpSum(choice["value"] * x for x, choice in flat)
    for row in picks:
        problem += pulp.lpSum(row) == 1
    for b, limit in enumerate(program["limits"]):
        problem += pulp.lpSum(choice["costs"][b] * x for x, choice in flat) <= limit
    values = []
    for _ in range(k):
        solver = pulp.PULP_CBC_CMD(msg=False, gapRel=0, gapAbs=0, threads=1, timeLimit=seconds)
        status = problem.solve(solver)
        if problem.sol_status != pulp.LpSolutionOptimal and status != pulp.LpStatusInfeasible:
            raise Timeout
        if status == pulp.LpStatusInfeasible:
            break
        chosen = [max(range(len(row)), key=lambda i, row=row: row[i].value()) for row in picks]
        values.append(sum(slot[i]["value"] for slot, i in zip(slots, chosen)))
        problem += pulp.lpSum(row[i] for row, i in zip(picks, chosen)) <= len(slots) - 1
    return values


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    times, values = [], []
    for program in job["programs"]:
        start = time.perf_counter()
        try:
            values.append(sorted(k_best(program, job["k"], job["seconds"]), reverse=True))
            times.append(1e3 * (time.perf_counter() - start))
        except Timeout:
            values.append([])
            times.append(None)
    print(json.dumps({"ms": times, "values": values}))


if __name__ == "__main__":
    main()
