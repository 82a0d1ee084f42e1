"""ViT-Tiny, a trained model: accuracy of every int8 program on the same images.

Images are decoded, resized and cropped once, by Pillow, as the model was trained:
short side 248, bicubic, centre crop of 224. All programs calibrate on the same
pixels and get the same pixels."""
import csv

SETS = ["val", "samples"]
RESIZE, CROP = 248, 224
SLOW = 0.25  # seconds an image, above which accuracy is not measured


def load_image(path):
    import numpy
    from PIL import Image

    with Image.open(path) as image:
        image = image.convert("RGB")
        width, height = image.size
        short = min(width, height)
        image = image.resize((RESIZE * width // short, RESIZE * height // short), Image.Resampling.BICUBIC)
        left, top = (round((size - CROP) / 2) for size in image.size)
        return numpy.asarray(image.crop((left, top, left + CROP, top + CROP)))


def labelled(folder):
    """[(path, class)] in the order of labels.csv."""
    with open(folder / "labels.csv", newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) == 2 and row[1].strip().isdigit()]
    return [(folder / name, int(label)) for name, label in rows]


def pixels(cache, folder):
    """Path of an .npy uint8 [N, 224, 224, 3], and the classes."""
    import numpy

    pairs = labelled(folder)
    key = "|".join(f"{path.name}:{path.stat().st_size}" for path, _ in pairs)
    from cache import digest

    path = cache.array(f"imagenet-{folder.name}-{digest(key)}", lambda: numpy.stack([load_image(p) for p, _ in pairs]))
    return path, [label for _, label in pairs]


def job(settings, cache):
    import machine
    import models

    shared = settings.arguments.shared
    folder = shared / "models" / "vit_tiny_in1k"
    calibration, _ = pixels(cache, shared / "images" / "imagenet" / "calibration")
    # The form for ONNX Runtime's fusion: the same weights in another graph.
    separate = cache.model("deit_t", "separate", trained=folder / "vit_tiny_script_op13.onnx")
    return {"name": "vit_tiny", "calibration": str(calibration), "mean": [0.5] * 3, "std": [0.5] * 3,
            "models": {"packed": str(cache.fixed_batch(folder / "vit_tiny_dynamo_op17.onnx", "vit_tiny")),
                       "separate": str(separate)},
            "preprocess": "resize=248,crop=224,interpolation=bicubic,mean=0.5,std=0.5", "batch": 1, "width": 192,
            "heads": 3, "macs": models.macs("deit_t"), "exact_u8s8": machine.reads_u8s8_exactly()}


def infer(settings, cache, name, job, sets):
    """{set: logits [N, 1000]}"""
    import measure
    import numpy

    artifact = cache.program(name, job)
    worker = measure.Process(settings.cores, cache.folder / "logs" / "vit_tiny" / f"{name}-accuracy.log")
    try:
        loaded = worker.request(900, do="load", peer=name, artifact=artifact, threads=1, pixels=job["calibration"])
        if loaded["run_seconds"] > SLOW:
            raise measure.WorkerError(f"not measured: {loaded['run_seconds']:.1f} s an image")
        found = {}
        for set_name, (path, labels) in sets.items():
            output = cache.folder / "logs" / "vit_tiny" / f"{name}-{set_name}.npy"
            worker.request(300 + 4 * SLOW * len(labels), do="infer", pixels=str(path), logits=str(output))
            found[set_name] = numpy.load(output).astype(numpy.float64)
        return found
    finally:
        worker.close()


def judge(logits, reference, sets):
    import measure
    import numpy

    top1, right, same, count = {}, 0, 0, 0
    for name, (_, labels) in sets.items():
        chosen = logits[name].argmax(axis=1)
        hits = int((chosen == numpy.array(labels)).sum())
        top1[name] = 100 * hits / len(labels)
        right, count = right + hits, count + len(labels)
        same += int((chosen == reference[name].argmax(axis=1)).sum())
    top1["all"] = 100 * right / count
    stacked = [numpy.concatenate([each[name] for name in sets]) for each in (reference, logits)]
    return {"top1": top1, "agreement": 100 * same / count, "sqnr_db": measure.sqnr(*stacked)}


def measure_all(settings, cache, job, progress):
    import measure
    import numpy
    import peers

    imagenet = settings.arguments.shared / "images" / "imagenet"
    sets = {name: pixels(cache, imagenet / name) for name in SETS if (imagenet / name / "labels.csv").exists()}
    if not sets:
        return {"error": f"no images with labels.csv in {imagenet}"}
    result = {"calibration": len(numpy.load(job["calibration"], mmap_mode="r")), "engines": {},
              "images": {name: len(labels) for name, (_, labels) in sets.items()}}
    try:
        progress("vit_tiny: accuracy of ort_fp32")
        reference = infer(settings, cache, "ort_fp32", job, sets)
    except measure.WorkerError as error:
        return {"error": f"needs ONNX Runtime fp32 as the reference: {error}"}
    result["engines"]["ort_fp32"] = {**judge(reference, reference, sets), "sqnr_db": None}
    for name in settings.peers:
        if not peers.get(name).int8:
            continue
        progress(f"vit_tiny: accuracy of {name}")
        try:
            result["engines"][name] = judge(infer(settings, cache, name, job, sets), reference, sets)
        except measure.WorkerError as error:
            result["engines"][name] = {"error": str(error)}
    return result
