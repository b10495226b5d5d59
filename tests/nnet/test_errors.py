import pytest
import tensorflow as tf

from nnet.errors import reason


def test_the_first_line_without_the_node(tmp_path):
    error = tf.errors.UnknownError(None, None, "{{function_node __wrapped__SaveV2}} /x; No space\n\tmore [Op:SaveV2]")
    assert reason(error) == "/x; No space"
    assert reason(KeyError()) == "KeyError"
    with pytest.raises(tf.errors.OpError) as caught:
        tf.io.read_file(str(tmp_path / "none"))
    assert reason(caught.value) == f"{tmp_path}/none; No such file or directory"
