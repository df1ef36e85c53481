"""The figures as tables."""


def report(figures):
    """Print the figures of one workload."""
    of, setting = figures["sides"], figures["settings"]
    print("{workload}: {layers} + {layers} layers, d = {dim}, V = {vocabulary:,}".format(**setting))
    print(
        "on {}, torch {}; {}, medians of {} updates{}".format(
            figures["device"],
            figures["torch"],
            ("CPU time" if setting["cpu_time"] else "time by the clock") + (", fp16" if setting["fp16"] else ""),
            setting["repeats"],
            ", each {} of --bt-ahead".format(setting["bt_ahead"]) if setting["bt_ahead"] > 1 else "",
        )
    )
    print(
        "sources have {:.1f} sub-tokens in the mean, {:.0f} sentences an update; of {:,} sentences that both wrote "
        "{:.1%} are the same, token by token".format(
            figures["source_length"],
            figures["sentences_a_step"],
            figures["sentences_compared"],
            figures["identical_share"],
        )
    )
    print("{:36}{:>12}{:>12}{:>10}".format("", "stock", "ours", "speedup"))
    for title, key, figure, form in (
        ("generation, sub-tokens/s", "generated_words_per_second", "generation_speedup", "{:12,.0f}"),
        ("training step, s", "step_seconds", "step_speedup", "{:12.3f}"),
        ("of it all but generation, s", "learning_seconds", "learning_speedup", "{:12.3f}"),
        ("making its batch, s", "batch_seconds", None, "{:12.3f}"),
        ("share of the step in generation", "generation_share", None, "{:12.1%}"),
    ):
        last = f"{figures[figure]:9.2f}x" if figure else ""
        print(f"{title:36}" + form.format(of["stock"][key]) + form.format(of["ours"][key]) + last)
    print("step and batch together: {:.2f}x\n".format(figures["step_and_batch_speedup"]), flush=True)


def table(workloads):
    """The workloads beside each other, as Markdown."""
    lines = [
        "| workload | stock's share of the step in generation | generation | whole step |",
        "| --- | --- | --- | --- |",
    ]
    for figures in workloads:
        lines.append(
            "| {} | {:.0%} | {:.2f} | {:.2f} |".format(
                figures["name"], figures["stock_share"], figures["generation_speedup"], figures["step_speedup"]
            )
        )
    return "\n".join(lines + ["", "Times as fast as stock."])
