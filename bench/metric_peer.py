"""Times one peer of hot_bench_metric on COCO files and prints {"seconds", "stats"}: from loaded files to the statistics.

Usage: metric_peer.py pycocotools|faster-coco-eval bbox|keypoints TRUTH DETECTIONS
"""
import contextlib
import io
import json
import sys
import time


def evaluation(library, kind, truth, detections):
    if library == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        ground = COCO(truth)
        return COCOeval(ground, ground.loadRes(detections), kind)
    from faster_coco_eval import COCO, COCOeval_faster

    ground = COCO(truth)
    # Without its extra statistics, which the others do not compute.
    return COCOeval_faster(ground, ground.loadRes(detections), kind, extra_calc=False)


def main():
    library, kind, truth, detections = sys.argv[1:]
    with contextlib.redirect_stdout(io.StringIO()):
        job = evaluation(library, kind, truth, detections)
        start = time.perf_counter()
        job.evaluate()
        job.accumulate()
        job.summarize()
        seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "stats": [float(value) for value in job.stats]}))


if __name__ == "__main__":
    main()
