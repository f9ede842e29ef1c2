"""Rewrites the two OpenCV Zoo networks so that stock insightface on onnxruntime can run them.

Promises: the arithmetic stays that of the original files (to float32 rounding), and the same
input gives the same bytes on every machine: weights are computed with single IEEE 754 operations
only, and nothing of the machine or the day is written.

Documents: ONNX operators, opset 21 (DequantizeLinear, BatchNormalization, Gemm, PRelu); the
outputs are decoded by OpenCV's ``FaceDetectorYN`` and by insightface's ``SCRFD``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

_STRIDES = (8, 16, 32)
"""Pixels of the input per cell, for YuNet's three grids."""

_IR_VERSION = 10
"""The version of the file format that belongs to opset 21."""

_Array = NDArray[Any]


def detector_for_scrfd(original: bytes) -> bytes:
    """YuNet with float32 weights and the nine outputs that insightface's SCRFD decodes.

    For the cell at column c, row r, YuNet answers two scores, (dx, dy, log w, log h) of a box and
    five (dx, dy) of landmarks, all in cells from (c, r). SCRFD expects two anchors for each cell,
    each with one score, the distances from (c, r) to the left, top, right and bottom of the box,
    and five (dx, dy). So the score is sqrt(cls * obj), as OpenCV takes it, the distances are
    (w/2 - dx, h/2 - dy, w/2 + dx, h/2 + dy), and the second anchor repeats the first with the
    score 0.

    Args:
        original: ``face_detection_yunet_2023mar_int8bq.onnx``.

    Returns:
        An ONNX file. Its input: float32, shape (1, 3, H, W), RGB, 0 to 255, H and W multiples
        of 32.
    """
    model = onnx.load_model_from_string(original)
    _fold_constants(model.graph)
    graph = model.graph
    to_bgr = helper.make_node("Gather", ["rgb", "bgr_order"], [graph.input[0].name], axis=1)
    heads = [node for stride in _STRIDES for node in _scrfd_head(stride)]
    _replace(graph.node, [to_bgr, *graph.node, *heads])
    _add_weights(
        graph,
        bgr_order=np.array([2, 1, 0], np.int64),
        zero=np.array(0, np.float32),
        half=np.array(0.5, np.float32),
        one=np.array(1, np.float32),
        two_and_two=np.array([2, 2], np.int64),
        rows_of_1=np.array([1, -1, 1], np.int64),
        rows_of_4=np.array([1, -1, 4], np.int64),
        rows_of_10=np.array([1, -1, 10], np.int64),
    )
    _replace(graph.input, [_float_tensor("rgb", [1, 3, "H", "W"])])
    _replace(
        graph.output,
        [
            _float_tensor(f"{kind}_{stride}", [1, f"anchors_{stride}", width])
            for kind, width in (("scores", 1), ("boxes", 4), ("landmarks", 10))
            for stride in _STRIDES
        ],
    )
    return _finished(model)


def recogniser_in_float32(original: bytes) -> bytes:
    """SFace with float32 weights, for any number of faces at once.

    Args:
        original: ``face_recognition_sface_2021dec_int8bq.onnx``.

    Returns:
        An ONNX file. Its input: float32, shape (n, 3, 112, 112), RGB, 0 to 255. Its output:
        float32, shape (n, 128), not of unit length.
    """
    model = onnx.load_model_from_string(original)
    _fold_constants(model.graph)
    _fold_last_normalisation(model.graph)
    _rewrite_prelu(model.graph)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    return _finished(model)


def _scrfd_head(stride: int) -> list[Any]:
    """The nodes from YuNet's outputs of one stride to those that SCRFD expects."""
    nodes: list[Any] = []

    def node(operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        name = f"{output}_{stride}"
        nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    certain = node("Clip", [f"cls_{stride}", "zero", "one"], "certain")
    present = node("Clip", [f"obj_{stride}", "zero", "one"], "present")
    score = node("Sqrt", [node("Mul", [certain, present], "score_squared")], "score")
    never = node("Sub", [score, score], "score_never")
    node("Reshape", [node("Concat", [score, never], "two_scores", axis=2), "rows_of_1"], "scores")

    centre, log_size = f"centre_{stride}", f"log_size_{stride}"
    split = [f"bbox_{stride}", "two_and_two"]
    nodes.append(helper.make_node("Split", split, [centre, log_size], axis=2))
    half_size = node("Mul", [node("Exp", [log_size], "size"), "half"], "half_size")
    left_top = node("Sub", [half_size, centre], "left_top")
    right_bottom = node("Add", [half_size, centre], "right_bottom")
    box = node("Concat", [left_top, right_bottom], "box", axis=2)
    node("Reshape", [node("Concat", [box, box], "two_boxes", axis=2), "rows_of_4"], "boxes")

    points = f"kps_{stride}"
    twice = node("Concat", [points, points], "two_landmarks", axis=2)
    node("Reshape", [twice, "rows_of_10"], "landmarks")
    return nodes


def _fold_constants(graph: Any) -> None:
    """Compute every weight that the file computes from stored numbers, and drop what does nothing.

    The int8 weights are stored in blocks with a scale and a zero point each, and reshaped;
    onnxruntime has no kernel for that form. Dropout does nothing outside training.
    """
    known = _weights(graph)
    renamed: dict[str, str] = {}
    kept = []
    for node in graph.node:  # an ONNX file lists a node after those it needs
        inputs = [renamed.get(name, name) for name in node.input]
        if node.op_type == "Constant":
            known[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        elif node.op_type == "Dropout":
            renamed[node.output[0]] = inputs[0]
        elif node.op_type == "DequantizeLinear":
            known[node.output[0]] = _dequantised(node, *(known[name] for name in inputs))
        elif node.op_type == "Reshape" and all(name in known for name in inputs):
            known[node.output[0]] = known[inputs[0]].reshape(known[inputs[1]])
        else:
            _replace(node.input, inputs)
            kept.append(node)
    _replace(graph.node, kept)
    _keep_weights(graph, known)
    needed = {name for node in kept for name in node.input} - known.keys()
    _replace(graph.input, [value for value in graph.input if value.name in needed])
    del graph.value_info[:]


def _dequantised(
    node: Any, quantised: _Array, scale: _Array, zero_point: _Array
) -> NDArray[np.float32]:
    """(quantised - zero_point) * scale, with one scale and zero point for each block of an axis."""
    attributes = {each.name: each.i for each in node.attribute}
    axis, block = attributes["axis"], attributes["block_size"]

    def spread(each: _Array) -> NDArray[np.float32]:
        """One value per weight: the last block may be shorter than the others."""
        repeated = each.astype(np.float32).repeat(block, axis=axis)
        return repeated.take(np.arange(quantised.shape[axis]), axis=axis)

    return (quantised.astype(np.float32) - spread(zero_point)) * spread(scale)


def _fold_last_normalisation(graph: Any) -> None:
    """Put SFace's last BatchNormalization into the weights of the Gemm before it.

    gamma * (W x + b - mean) / sqrt(var + eps) + beta  ==  (k W) x + (k (b - mean) + beta) with
    k = gamma / sqrt(var + eps). The last node then writes the embedding straight into the buffer
    that it was given, and no other form of it stays in the runtime's working memory.
    """
    gemm, normalisation = graph.node[-2:]
    known = _weights(graph)
    weight, bias, gamma, beta, mean, variance = (
        known[name].astype(np.float64) for name in (*gemm.input[1:], *normalisation.input[1:])
    )
    factor = gamma / np.sqrt(variance + helper.get_node_attr_value(normalisation, "epsilon"))
    known[gemm.input[1]] = (weight * factor[:, np.newaxis]).astype(np.float32)
    known[gemm.input[2]] = ((bias - mean) * factor + beta).astype(np.float32)
    gemm.output[0] = normalisation.output[0]
    del graph.node[-1]
    _keep_weights(graph, known)


def _rewrite_prelu(graph: Any) -> None:
    """PRelu(x) == a x + (1 - a) Relu(x), both factors as 1x1 convolutions of single channels.

    onnxruntime keeps its blocked memory layout through convolutions but not through PRelu: an
    embedding takes about a third less time.
    """
    known = _weights(graph)
    nodes = []
    for node in graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        (source, slope_name), (target,) = node.input, node.output
        slope = known[slope_name].reshape(-1, 1, 1, 1)
        channels: dict[str, Any] = {"group": slope.shape[0], "kernel_shape": [1, 1]}
        all_of, above = f"{target}_all", f"{target}_above"
        known[f"{all_of}_factor"] = slope
        known[f"{above}_factor"] = np.float32(1) - slope
        nodes += [
            helper.make_node("Relu", [source], [f"{target}_relu"]),
            helper.make_node("Conv", [source, f"{all_of}_factor"], [all_of], **channels),
            helper.make_node("Conv", [f"{target}_relu", f"{above}_factor"], [above], **channels),
            helper.make_node("Add", [all_of, above], [target]),
        ]
    _replace(graph.node, nodes)
    _keep_weights(graph, known)


def _finished(model: Any) -> bytes:
    """The checked file, marked as changed (Apache-2.0, section 4 b)."""
    model.ir_version = _IR_VERSION
    model.producer_name = "plumbline"
    model.doc_string = "Changed from the file of the OpenCV Zoo; see MODEL.LICENSE."
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _weights(graph: Any) -> dict[str, _Array]:
    """The stored numbers of the graph by name."""
    return {each.name: numpy_helper.to_array(each) for each in graph.initializer}


def _add_weights(graph: Any, **weights: _Array) -> None:
    """Store more numbers."""
    graph.initializer.extend(numpy_helper.from_array(v, name) for name, v in weights.items())


def _keep_weights(graph: Any, known: dict[str, _Array]) -> None:
    """Store those numbers that a node uses, and no others."""
    used = {name for node in graph.node for name in node.input}
    del graph.initializer[:]
    _add_weights(graph, **{name: value for name, value in known.items() if name in used})


def _float_tensor(name: str, shape: list[int | str]) -> Any:
    """The declaration of a float32 input or output; a word in the shape is an open dimension."""
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


def _replace(field: Any, values: Iterable[Any]) -> None:
    """Give a repeated field of the file new contents."""
    kept = list(values)
    del field[:]
    field.extend(kept)
