import pytest

from dataset import aic
from tools import benchmark


def test_made_up_data_is_valid():
    reference = benchmark.made_up_annotations(50)
    submission = benchmark.made_up_submission(reference)
    assert reference == benchmark.made_up_annotations(50)
    result = aic.score(submission, reference)
    assert not result.skipped.counts
    assert 0.3 < result.score < 1


@pytest.mark.parametrize("command", ["convert", "evaluate"])
def test_commands(command, capsys):
    benchmark.main([command, "--images", "40", "60"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["40", "60"]
