"""The figures as a table."""


def report(figures):
    """Print the figures."""
    of, settings = figures["sides"], figures["settings"]
    print(
        "crossinit_unmt against online_backtranslation (stock): {layers} + {layers} layers, d = {dim}, V = {vocabulary:,}, "
        "{max_tokens} tokens a batch and language".format(**settings)
    )
    clock = "CPU time" if settings["cpu_time"] else "time by the clock"
    print(
        "on {}, torch {}; {}, medians of {} updates".format(
            figures["device"], figures["torch"], clock, settings["repeats"]
        )
    )
    print(
        "sources have {:.1f} sub-tokens; generated: stock {:.1f}, ours {:.1f}".format(
            figures["source_length"], of["stock"]["generated_length"], of["ours"]["generated_length"]
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
        last = "{:9.2f}x".format(figures[figure]) if figure else ""
        print("{:36}".format(title) + form.format(of["stock"][key]) + form.format(of["ours"][key]) + last)
    print("step and batch together: {:.2f}x".format(figures["step_and_batch_speedup"]))
