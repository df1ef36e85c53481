"""What fairseq must know of this package, and when it is told.

Importing fairseq takes seconds, which counting words or scoring translations need not wait for.
"""

import sys


def register_with_fairseq() -> None:
    """Register with fairseq if it has been imported, as under --user-dir; else when it is, whoever imports it."""
    if "fairseq" in sys.modules:
        _register()
    else:
        # not needed for --user-dir, which also takes a folder that was never installed, on a machine with nothing but
        # fairseq
        from wrapt import register_post_import_hook

        register_post_import_hook(lambda fairseq: _register(), "fairseq")


def _register() -> None:
    from crossinit_fairseq import compat, finished_runs, lost_processes

    compat.apply()
    finished_runs.end_finished_runs()
    lost_processes.say_which_process_has_ended()

    # fairseq itself imports only tasks/ and models/ of a user directory
    import crossinit_fairseq.criterions.crossinit
    import crossinit_fairseq.criterions.span_prediction
    import crossinit_fairseq.models.xlm
    import crossinit_fairseq.models.xlm_translation
    import crossinit_fairseq.tasks.crossinit_denoising
    import crossinit_fairseq.tasks.crossinit_mlm
    import crossinit_fairseq.tasks.crossinit_pretrain
    import crossinit_fairseq.tasks.crossinit_qa
    import crossinit_fairseq.tasks.crossinit_unmt
    import crossinit_fairseq.tasks.crossinit_xnli  # noqa: F401


def import_fairseq() -> None:
    """Import fairseq. Every room that knows fairseq begins with this, before any of its modules is half imported.

    Raises ImportError that says what to install.
    """
    try:
        import fairseq  # noqa: F401
    except ImportError as error:  # none at all, or one that lacks something
        raise ImportError(
            f"crossinit_fairseq needs fairseq, and none could be imported ({error}). On Python 3.11 and later: `pip "
            "install ve-fairseq==0.12.3` (Linux x86_64) or `fairseq-fixed==0.12.3.1`; on Python 3.8 to 3.10: `pip "
            "install fairseq==0.12.2`."
        ) from error
    except ValueError as error:
        raise ImportError(
            f"this fairseq does not run on this Python ({error}): the official 0.12.2 needs Python 3.8 to 3.10; on "
            "Python 3.11 and later `pip uninstall fairseq` and `pip install ve-fairseq==0.12.3`."
        ) from error
