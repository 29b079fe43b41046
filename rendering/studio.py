"""A place to photograph models in: one light with shadows, any backdrop, and for each pixel whose it is (OpenGL)."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import moderngl
import numpy as np

from rendering import shaders
from rendering.cameras import looking_at, orthographic
from rendering.catalogue import Model
from rendering.looks import Kind, Look
from rendering.photograph import Photograph
from rendering.wavefront import Part

SHADOW_SIDE = 1024
LARGEST_TEXTURE = 512
MOST_KEPT = 400  # models and textures each, beyond which all are let go


@dataclass(frozen=True)
class Placed:
    """A model at a place (`to_world` [4, 4]) with a look for each part; `number` 1..255, or 0 for surroundings, which
    belong to nobody and cast no shadow."""

    model: Model
    to_world: np.ndarray
    looks: Sequence[Look]
    number: int


@dataclass(frozen=True)
class Light:
    """A lamp far away (unit vector `direction`, RGB `colour`), and what comes from above and below; shadows fall
    within `reach` metres of `middle`."""

    direction: np.ndarray
    colour: np.ndarray
    sky: np.ndarray
    ground: np.ndarray
    middle: np.ndarray
    reach: float


@dataclass(frozen=True)
class View:
    """A camera: where it is, matrices of `cameras`, and the picture's width and height."""

    eye: np.ndarray
    camera: np.ndarray
    projection: np.ndarray
    size: tuple[int, int]


class Studio:
    """Takes photographs; keeps models, textures and targets on the graphics card from one to the next."""

    def __init__(self, swatches: Sequence[np.ndarray], backdrops: Sequence[np.ndarray]) -> None:
        self.swatches, self.backdrops = swatches, backdrops
        self._gl = moderngl.create_standalone_context(backend="egl")
        self._painted = self._gl.program(shaders.CORNER, shaders.PAINTED)
        self._numbered = self._gl.program(shaders.CORNER, shaders.NUMBERED)
        backdrop = self._gl.program(shaders.BACKDROP_CORNER, shaders.BACKDROP)
        covering = self._gl.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())
        self._backdrop = self._gl.vertex_array(backdrop, [(covering, "2f", "corner")])
        self._shadow = self._gl.depth_texture((SHADOW_SIDE, SHADOW_SIDE))
        self._shadow.compare_func = ""
        self._shadow.repeat_x = self._shadow.repeat_y = False
        self._shadow_target = self._gl.framebuffer(depth_attachment=self._shadow)
        self._textures: dict[Hashable, moderngl.Texture] = {}
        self._arrays: dict[int, list[tuple[moderngl.VertexArray, moderngl.VertexArray, Part]]] = {}
        self._targets: dict[tuple[int, int], tuple[moderngl.Framebuffer, ...]] = {}

    def photograph(self, placed: Sequence[Placed], view: View, light: Light, backdrop: int | None) -> Photograph:
        """The picture of what is placed, before a photograph by its number or, without one, before grey."""
        self._gl.enable(moderngl.DEPTH_TEST)
        smooth, plain, numbered = self._targets_of(view.size)
        to_light_map = orthographic(light.reach, 4 * light.reach) @ looking_at(
            light.middle + 0.1 * light.direction, light.middle
        )
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        self._draw_numbers([each for each in placed if each.number], to_light_map)
        smooth.use()
        smooth.clear(0.5, 0.5, 0.5, 1, depth=1.0)
        if backdrop is not None:
            self._draw_backdrop(backdrop)
        to_picture = view.projection @ view.camera
        self._draw_painted(placed, to_picture, to_light_map, view.eye, light)
        self._gl.copy_framebuffer(plain, smooth)
        numbered.use()
        numbered.clear(0, 0, 0, 0, depth=1.0)
        self._draw_numbers(placed, to_picture)
        labels = _read(numbered, view.size, 2)
        return Photograph(_read(plain, view.size, 3), labels[..., 0].copy(), labels[..., 1].copy())

    def _draw_backdrop(self, number: int) -> None:
        self._gl.disable(moderngl.DEPTH_TEST)
        self._texture(("backdrop", number), lambda: self.backdrops[number]).use(0)
        self._backdrop.render()
        self._gl.enable(moderngl.DEPTH_TEST)

    def _draw_painted(
        self, placed: Sequence[Placed], to_picture: np.ndarray, to_light_map: np.ndarray, eye: np.ndarray, light: Light
    ) -> None:
        program = self._painted
        program["to_picture"].write(_column_bytes(to_picture))
        program["to_light_map"].write(_column_bytes(to_light_map))
        values = {"to_light": light.direction, "light": light.colour, "sky": light.sky, "ground": light.ground}
        for name, value in (values | {"eye": eye}).items():
            program[name] = tuple(value)
        self._shadow.use(1)
        program["shadow"] = 1
        for each in placed:
            program["to_world"].write(_column_bytes(each.to_world))
            for (painted, _, part), look in zip(self._arrays_of(each.model), each.looks, strict=True):
                self._cover(program, part, look)
                for name in ("hue", "grain", "shine"):
                    program[name] = getattr(look, name)
                program["colour"], program["tint"] = tuple(look.colour), tuple(look.tint)
                painted.render()

    def _draw_numbers(self, placed: Sequence[Placed], to_picture: np.ndarray) -> None:
        program = self._numbered
        program["to_picture"].write(_column_bytes(to_picture))
        for each in placed:
            program["to_world"].write(_column_bytes(each.to_world))
            program["number"] = float(each.number)
            arrays = zip(self._arrays_of(each.model), each.looks, strict=True)
            for index, ((_, numbered, part), look) in enumerate(arrays, start=1):
                program["part"] = float(min(index, 255))
                self._cover(program, part, look)
                numbered.render()

    def _cover(self, program: moderngl.Program, part: Part, look: Look) -> None:
        program["kind"] = int(look.kind)
        if look.kind is Kind.PICTURE and part.material.picture:
            picture = part.material.picture
            self._texture(picture, lambda: _texture_of(picture)).use(0)
        elif look.kind is Kind.SWATCH:
            self._texture(("swatch", look.swatch), lambda: self.swatches[look.swatch]).use(0)
        program["texture_map"] = 0

    def _texture(self, key: Hashable, make: Callable[[], np.ndarray]) -> moderngl.Texture:
        if key not in self._textures:
            if len(self._textures) > MOST_KEPT:
                _let_go(self._textures)
            pixels = np.ascontiguousarray(make()[::-1])
            size = (pixels.shape[1], pixels.shape[0])
            texture = self._gl.texture(size, pixels.shape[2], pixels.tobytes(), alignment=1)
            texture.build_mipmaps()
            texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
            self._textures[key] = texture
        return self._textures[key]

    def _arrays_of(self, model: Model) -> list[tuple[moderngl.VertexArray, moderngl.VertexArray, Part]]:
        if id(model) not in self._arrays:
            if len(self._arrays) > MOST_KEPT:
                for arrays in self._arrays.values():
                    for painted, numbered, _ in arrays:
                        painted.release()
                        numbered.release()
                self._arrays.clear()
            self._arrays[id(model)] = [self._arrays_of_part(part) for part in model.parts]
        return self._arrays[id(model)]

    def _arrays_of_part(self, part: Part) -> tuple[moderngl.VertexArray, moderngl.VertexArray, Part]:
        buffer = self._gl.buffer(part.corners.tobytes())
        painted = self._gl.vertex_array(self._painted, [(buffer, "3f 3f 2f", "corner", "direction", "in_texture")])
        numbered = self._gl.vertex_array(self._numbered, [(buffer, "3f 12x 2f", "corner", "in_texture")])
        return painted, numbered, part

    def _targets_of(self, size: tuple[int, int]) -> tuple[moderngl.Framebuffer, ...]:
        if size not in self._targets:
            gl = self._gl
            self._targets[size] = (
                gl.framebuffer([gl.renderbuffer(size, 4, samples=4)], gl.depth_renderbuffer(size, samples=4)),
                gl.framebuffer([gl.renderbuffer(size, 4)]),
                gl.framebuffer([gl.renderbuffer(size, 4)], gl.depth_renderbuffer(size)),
            )
        return self._targets[size]


def _column_bytes(matrix: np.ndarray) -> bytes:
    return np.ascontiguousarray(matrix.T, "f4").tobytes()


def _let_go(textures: dict[Hashable, moderngl.Texture]) -> None:
    for each in textures.values():
        each.release()
    textures.clear()


def _read(target: moderngl.Framebuffer, size: tuple[int, int], channels: int) -> np.ndarray:
    pixels = np.frombuffer(target.read(components=channels, alignment=1), np.uint8)
    return pixels.reshape(size[1], size[0], channels)[::-1].copy()


def _texture_of(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        return np.full((2, 2, 4), 200, np.uint8)
    if pixels.dtype != np.uint8:
        pixels = (pixels // 257).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    scale = LARGEST_TEXTURE / max(pixels.shape[:2])
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGBA if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
