"""The method step by step, by the functions of pose-tensorflow's names, for whoever wants to change one of the steps.

python demo/minimal.py photo.jpg people.jpg
python demo/minimal.py photo.jpg people.jpg --cfg models/coco/test/pose_cfg.yaml
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from config import load_config
from demo.options import MODEL
from lib.multicut_cython import solve_multicut
from multiperson.detections import extract_detections
from multiperson.load import find_checkpoint
from multiperson.predict import SpatialModel, eval_graph, get_person_conf_multicut
from multiperson.visualize import PersonDraw
from util.images import read_image, write_image
from util.view import network_view


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__, MODEL)
    arguments.add_argument("photo")
    arguments.add_argument("picture", help="file to write")
    options = arguments.parse_args(argv)

    from nnet.predict import setup_pose_prediction

    cfg = load_config(options.cfg, options.overrides)
    network = setup_pose_prediction(cfg, find_checkpoint(cfg))
    model = SpatialModel(cfg, network.spec.skeleton).load()

    image = read_image(options.photo)
    view = network_view(cfg, image.shape[:2])  # how the network sees it: global_scale, max_input_size
    maps = network.maps(view.image(image))
    detections = extract_detections(cfg, maps)  # the peaks of each part's score map
    graph = eval_graph(model, detections)  # what it costs to keep them, and to join two of them
    labels = solve_multicut(graph.unary, graph.edges, graph.cost)  # the person of each, -1 for none
    people = get_person_conf_multicut(model, graph, labels)

    people = people._replace(keypoints=view.keypoints_back(people.keypoints))
    write_image(options.picture, PersonDraw(model.skeleton.limbs).draw(image, people))
    print(f"{len(people.score)} people, drawn into {options.picture}")


if __name__ == "__main__":
    run(main, frozen_weights=True)
