import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from pipelines.fleet import blending
from pipelines.fleet.camera import lens
from pipelines.fleet.camera.cameras import Camera, Lane
from pipelines.fleet.camera.occluders import LEAST, MOST, paint_occluder
from pipelines.fleet.light.rain import fall
from pipelines.fleet.light.shadows import cast, shadow_map
from pipelines.fleet.light.weather import KINDS, draw_weather, light_plate, relight, wet
from pipelines.fleet.street.backgrounds import Plate, paint_background
from pipelines.fleet.street.clearance import Clearance
from pipelines.fleet.street.ground import road_coordinates
from pipelines.fleet.street.painting import Brush
from pipelines.fleet.street.roads import find_roads
from pipelines.fleet.textures import noise


def seed(*numbers):
    return np.random.default_rng(list(numbers))


@pytest.fixture(scope="module")
def camera():
    # Two lanes along +x with their common line at y = 0, seen from behind and above.
    lanes = (Lane(0.0, -1.7, 0.0, 8.0), Lane(0.0, 1.7, np.pi, 8.0))
    return Camera(
        "c01", (-18.0, 2.0, 7.0), (0.0, 0.0, 0.5), 520.0, (480, 320), lanes, "plain", 1.0,
        (1.0, 1.0, 1.0), 0.6, 3.0, 85, 0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def plate(camera):
    return paint_background(replace(camera, background="busy"), seed(3))


@pytest.fixture(scope="module")
def crop(plate):
    return plate.crop(180, 120, 128, 112)


def weather(kind, number=0):
    return draw_weather(seed(number), (kind,))


def grey(level=120, shape=(112, 128)):
    return np.full((*shape, 3), level, np.uint8)


def make(name, camera, crop, random):
    image = light_plate(crop, weather("day"))
    if name == "background":
        made = paint_background(replace(camera, background="busy"), random)
        return made.picture.tobytes() + made.gloss.tobytes() + made.lamps.tobytes()
    if name == "occluder":
        made = paint_occluder((112, 128), random)
        return made.colour.tobytes() + made.alpha.tobytes()
    if name == "shadow":
        return shadow_map((112, 128), weather("day"), random).tobytes()
    if name == "rain":
        return fall(image, weather("rain"), random).tobytes()
    if name == "weather":
        return repr(draw_weather(random)).encode()
    return lens.photograph(image, (180, 120), camera, weather("night"), random)


@pytest.mark.parametrize(
    "name", ["background", "occluder", "shadow", "rain", "weather", "photograph"]
)
def test_the_seed_decides_every_byte(name, camera, crop):
    first, again, other = (make(name, camera, crop, seed(n)) for n in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_plate_fills_the_frame_and_crops_are_views_of_it(plate):
    assert plate.picture.shape == (320, 480, 3)
    assert plate.gloss.shape == plate.lamps.shape == (320, 480)
    assert {plate.picture.dtype, plate.gloss.dtype, plate.lamps.dtype} == {np.dtype(np.uint8)}
    part = plate.crop(10, 20, 30, 40)
    assert part.picture.shape == (40, 30, 3)
    assert np.shares_memory(part.picture, plate.picture)
    np.testing.assert_array_equal(part.lamps, plate.lamps[20:60, 10:40])


def test_the_sky_has_neither_lamps_nor_gloss(camera):
    up = replace(camera, target=(30.0, 0.0, 3.0))
    plate = paint_background(up, seed(5))
    horizon = int(up.project(np.array([[5000.0, 0.0, 7.0]]))[0][0, 1])
    assert horizon > 40
    assert not plate.gloss[: horizon - 1].any()
    assert not plate.lamps[: horizon - 40].any()
    assert plate.lamps[horizon + 20 :].all()


@pytest.mark.parametrize("background", ["plain", "busy"])
def test_a_line_lies_where_the_camera_sees_it(camera, background):
    """Across the line between two lanes the brightest point is that line's, at each dash."""
    found = []
    for number in range(6):
        here = replace(camera, background=background)
        picture = paint_background(here, seed(number)).picture.astype(int)
        s, t = np.meshgrid(np.arange(-8, 8, 0.25), np.arange(-0.7, 0.7, 0.02), indexing="ij")
        pixels, _ = here.project(np.stack([s, t, 0 * s], -1))
        columns, rows = np.moveaxis(np.floor(pixels).astype(int), -1, 0)
        across = picture[rows, columns].max(-1)
        median = np.median(across, 1)[:, None]
        bright = across - median > 40
        # A dash, or one or two solid lines: the middle of what is bright is the line's place.
        rows_with = bright.sum(1) >= 3
        found += [t[0, line].mean() for line in bright[rows_with]]
    assert len(found) > 60
    assert abs(np.median(found)) < 0.03
    assert np.quantile(np.abs(found), 0.9) < 0.12


def test_every_pixels_ground_is_the_cameras(camera):
    road = find_roads(camera)[0]
    top, found = road_coordinates(camera, road)
    rows = np.arange(top, 320)
    x, y = np.meshgrid(np.arange(480) + 0.5, rows + 0.5)
    expected = road.coordinates(camera.ground_at(np.stack([x, y], -1)))
    near = np.abs(expected).max(-1) < 100
    assert near.mean() > 0.8
    np.testing.assert_allclose(np.moveaxis(found, 0, -1)[near], expected[near], atol=2e-3)


def test_a_brush_fills_what_the_camera_projects(camera):
    picture = np.zeros((320, 480), np.uint8)
    square = np.array([[-1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [-1.0, 1.0, 0.0]])
    Brush(camera, picture).fill(square[None], 255)
    # The truth: which of 4 x 4 points of each pixel see the square.
    x, y = np.meshgrid((np.arange(480 * 4) + 0.5) / 4, (np.arange(320 * 4) + 0.5) / 4)
    inside = np.abs(camera.ground_at(np.stack([x, y], -1))).max(-1) < 1
    share = inside.reshape(320, 4, 480, 4).mean((1, 3))
    painted = picture / 255
    assert (painted[share == 1] == 1).mean() > 0.95
    assert np.abs(painted - share).max() < 0.8  # OpenCV's soft edge reaches half a pixel outwards
    assert painted.sum() == pytest.approx(share.sum(), rel=0.12)
    for axis in (0, 1):
        place = np.arange(picture.shape[axis])
        middle, truth = (
            (image.sum(1 - axis) * place).sum() / image.sum() for image in (painted, share)
        )
        assert middle == pytest.approx(truth, abs=0.2)


def test_a_shape_that_reaches_behind_the_lens_is_cut(camera):
    picture = np.zeros((320, 480), np.uint8)
    strip = np.array([[[-400.0, -1.0, 0.0], [400, -1, 0], [400, 1, 0], [-400, 1, 0]]])
    behind = strip - [900.0, 0.0, 0.0]
    brush = Brush(camera, picture)
    brush.fill(behind, 255)
    assert not picture.any()
    brush.fill(strip, 255)
    pixels = np.floor(camera.project(np.array([[s, 0.0, 0.0] for s in (-6, 0, 10, 60)]))[0])
    assert all(picture[int(y), int(x)] == 255 for x, y in pixels)
    beside = np.floor(camera.project(np.array([[s, 1.5, 0.0] for s in (-6, 0, 10)]))[0])
    assert not any(picture[int(y), int(x)] for x, y in beside)


def test_nothing_stands_before_a_place_where_vehicles_pass(camera):
    clearance = Clearance(camera, find_roads(camera))
    post = np.array([[0.0, 0.0, 0.0], [0.0, 0.4, 2.5], [0.0, -0.4, 2.5]])
    assert clearance.nearest(post - [11.0, 0.0, 0.0]) is None  # between the lens and the lanes
    assert clearance.nearest(post - [-60.0, 0.0, 0.0]) == pytest.approx(74.0, abs=3.0)
    assert clearance.nearest(post - [0.0, -6.0, 0.0]) is not None
    assert clearance.nearest(post - [30.0, 0.0, 0.0]) is None  # behind the lens


def test_road_coordinates_are_metres_along_and_to_the_left(camera):
    lane = Lane(3.0, -4.0, 0.7, 5.0)
    road = find_roads(replace(camera, lanes=(lane,)))[0]
    along = np.array([np.cos(0.7), np.sin(0.7)])
    left = np.array([-along[1], along[0]])
    s, t = seed(1).uniform(-30, 30, (2, 40))
    points = road.place(s, t, 1.5)
    expected = np.array([3.0, -4.0]) + s[:, None] * along + t[:, None] * left
    np.testing.assert_allclose(points[:, :2], expected, atol=1e-6)
    assert (points[:, 2] == 1.5).all()
    np.testing.assert_allclose(road.coordinates(points[:, :2]), np.stack([s, t], -1), atol=1e-6)


def test_parallel_lanes_are_one_road_and_a_crossing_another(camera):
    crossing = Lane(0.0, 0.0, 1.5, 5.0)
    roads = find_roads(replace(camera, lanes=(*camera.lanes, crossing)))
    assert [len(road.lanes) for road in roads] == [2, 1]
    assert [way for _, way in roads[0].lanes] == [1, -1]
    assert roads[0].edges() == [(pytest.approx(1.7), True)]
    back = replace(camera, position=(18.0, 2.0, 7.0))
    turned = find_roads(back)[0]
    assert turned.ahead == (-1.0, 0.0)
    assert [way for _, way in turned.lanes] == [1, -1]
    np.testing.assert_allclose(turned.place(2.0, 1.0)[:2], [-2.0, -2.7])


@pytest.mark.parametrize("shape", [(128, 128), (96, 150), (256, 192)])
def test_an_occluder_covers_its_share(shape):
    kinds = set()
    for number in range(90):
        made = paint_occluder(shape, seed(7, number))
        assert made.colour.shape == (*shape, 3)
        assert made.alpha.shape == shape
        assert made.colour.dtype == made.alpha.dtype == np.uint8
        assert made.cover == pytest.approx(made.alpha.mean() / 255)
        assert LEAST <= made.cover <= MOST
        assert (made.alpha > 200).any()
        kinds.add(made.kind)
    assert kinds == {"pole", "trunk", "sign", "leaves", "railing", "roof"}


def test_even_daylight_changes_nothing_and_night_darkens(crop):
    even = replace(weather("overcast"), ambient=1.0, ambient_tint=(1.0, 1.0, 1.0), wetness=0.0)
    np.testing.assert_array_equal(light_plate(crop, even), crop.picture)
    night = replace(weather("night"), wetness=0.0)
    dark = light_plate(crop, night)
    assert dark.mean() < 0.75 * crop.picture.mean()
    unlit = light_plate(Plate(crop.picture, crop.gloss, 0 * crop.lamps), night)
    # Without lamps it is what relight says, but for rounding.
    assert np.abs(unlit.astype(int) - relight(crop.picture, night)).max() <= 2
    full = light_plate(Plate(crop.picture, crop.gloss, 0 * crop.lamps + np.uint8(255)), night)
    assert full.mean() > 3 * unlit.mean()


def test_the_sun_is_a_unit_vector_and_shadows_keep_the_ambient_light():
    for number in range(50):
        drawn = draw_weather(seed(number))
        assert sum(value * value for value in drawn.sun) == pytest.approx(1.0, abs=1e-6)
        assert drawn.sun[2] > 0
        assert 0 < drawn.shadow <= 1
        assert (drawn.rain > 0) == (drawn.kind == "rain")
        assert (drawn.sun_strength > 0) == (drawn.kind in ("day", "dusk"))
    assert {draw_weather(seed(n)).kind for n in range(60)} == set(KINDS)
    sunny = replace(weather("day"), ambient=0.5, sun=(0.0, 0.6, 0.8), sun_strength=0.625)
    assert sunny.shadow == pytest.approx(0.5)
    darkest = min(int(shadow_map((128, 128), sunny, seed(n)).min()) for n in range(8))
    assert darkest == pytest.approx(128, abs=2)
    assert (shadow_map((40, 50), weather("rain"), seed(1)) == 255).all()


def test_a_cast_shadow_multiplies():
    image = seed(1).integers(0, 256, (20, 30, 3), np.uint8)
    shadow = seed(2).integers(0, 256, (20, 30), np.uint8)
    expected = np.floor(image / 255 * shadow[..., None] + 0.5)
    assert np.abs(cast(image, shadow) - expected).max() == 0


def test_wet_ground_is_darker_and_the_rest_stays(crop):
    gloss = crop.gloss.copy()
    gloss[:, :60] = 0
    picture = grey(140)
    made = wet(Plate(picture, gloss, crop.lamps), 0.8)
    np.testing.assert_array_equal(made[:, :60], picture[:, :60])
    ground = (gloss > 0)[:, 60:]
    assert ground.any()
    assert (made[:, 60:][ground] < 140).all()
    assert (made[:, 60:][ground] > 70).all()


def test_rain_streaks_and_keeps_the_brightness():
    heavy = replace(weather("rain"), ambient=0.7, lamps=0.0, rain=1.0, haze=0.0)
    image = grey(100, (128, 128))
    made = fall(image, heavy, seed(4)).astype(int)
    assert made.std() > 2
    assert 100.5 < made.mean() < 115
    assert (made >= 100).all()
    veiled = fall(image, replace(heavy, rain=0.0, haze=0.2), seed(4)).astype(int)
    # A fifth of the way to the haze's 190 * 0.7 + 20 grey levels.
    assert np.abs(veiled.mean((0, 1)) - (100 + 0.2 * 53)).max() < 3
    column, row = np.abs(np.diff(made, axis=0)).mean(), np.abs(np.diff(made, axis=1)).mean()
    assert row > 1.5 * column  # streaks fall
    dry = replace(heavy, rain=0.0, haze=0.0)
    assert fall(image, dry, seed(4)) is image


@pytest.mark.parametrize("sigma", [2.0, 6.0, 15.0])
def test_noise_has_its_strength_and_no_bias(sigma):
    added = lens.add_noise(grey(128, (200, 300)), sigma, seed(9)).astype(int) - 128
    assert abs(added.mean()) < 0.15 + 0.03 * sigma
    assert added.std() == pytest.approx(sigma, rel=0.12)
    together = added.mean(-1).std()
    assert together > 2 * (added - added.mean(-1, keepdims=True)).std()  # mostly brightness


def test_smearing_is_the_mean_of_shifted_copies():
    image = seed(3).integers(0, 256, (20, 24, 3), np.uint8)
    made = lens.smear(image, 4.0, 0.0)
    for y in (0, 7, 19):
        for x in (0, 1, 11, 23):
            taps = [image[y, min(23, max(0, x + step))].astype(int) for step in range(-2, 3)]
            assert (made[y, x] == (sum(taps) + 2) // 5).all()
    assert lens.smear(image, 0.3, 0.2) is image
    masked = lens.smear(image[..., :1], 1.0, 3.0)
    assert masked.shape == (20, 24, 1)


def test_exposure_keeps_order_and_neutral_settings_keep_dark_levels():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, -1)
    same = lens.expose(ramp, 1.0, (1.0, 1.0, 1.0), 1.0, 1.0)
    np.testing.assert_array_equal(same[0, :210], ramp[0, :210])
    bright = lens.expose(ramp, 1.4, (1.0, 0.9, 1.1), 1.1, 0.9).astype(int)
    assert (np.diff(bright, axis=1) >= 0).all()
    assert (bright[0, 100] > 100).all()
    assert bright[0, 100, 2] > bright[0, 100, 0] > bright[0, 100, 1]


def test_the_vignette_belongs_to_the_frame():
    whole = lens.vignette(grey(200, (320, 480)), (480, 320), (0, 0))
    part = lens.vignette(grey(200, (50, 60)), (480, 320), (400, 250))
    np.testing.assert_array_equal(part, whole[250:300, 400:460])
    assert whole[160, 240, 0] == 200
    assert whole[0, 0, 0] < 175


def test_a_photograph_is_a_jpeg_with_halved_colour(camera, crop):
    image = light_plate(crop, weather("overcast"))
    data = lens.photograph(image, (180, 120), camera, weather("overcast"), seed(1))
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.size == (128, 112)
        assert [layer[1:3] for layer in opened.layer] == [(2, 2), (1, 1), (1, 1)]
        decoded = np.asarray(opened.convert("RGB")).astype(int)
    assert abs(decoded.mean() - image.mean()) < 25
    # Red stays red: OpenCV's order of channels is the other way round.
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200
    back = cv2.imdecode(np.frombuffer(lens.encode(red, 90), np.uint8), cv2.IMREAD_COLOR)
    assert back[..., 2].min() > 190
    assert back[..., 0].max() < 10
    assert len(lens.encode(image, 40)) < len(lens.encode(image, 90))


def test_blending_is_exact():
    one, two = (axis.ravel().astype(np.uint8) for axis in np.mgrid[:256, :256])
    a = np.stack([one.reshape(256, 256)] * 3, -1)
    b = np.stack([two.reshape(256, 256)] * 3, -1)
    exact = np.floor(a.astype(float) * b / 255 + 0.5)
    np.testing.assert_array_equal(blending.dim(a, b), exact)
    np.testing.assert_array_equal(
        blending.multiply(a, b), np.minimum(255, a.astype(int) * b // 128)
    )
    cover = seed(1).integers(0, 256, (256, 256), np.uint8)
    share = cover[..., None].astype(float)
    exact = np.floor((a * (255 - share) + b * share) / 255 + 0.5)
    np.testing.assert_array_equal(blending.lay_over(a, b, cover), exact)


def test_pasting_may_reach_out_of_the_picture():
    picture, drawing = grey(10, (20, 20)), grey(200, (8, 8))
    cover = np.full((8, 8), 255, np.uint8)
    blending.paste(picture, drawing, cover, -5, 16)
    assert (picture[16:, :3] == 200).all()
    assert (picture == 200).all(-1).sum() == 12
    before = picture.copy()
    blending.paste(picture, drawing, cover, 30, 0)
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("blob", [1, 4, 16, 64])
def test_noise_is_even_and_joins_itself(blob):
    tile = noise(blob).astype(int)
    shares = np.histogram(tile, 8, (0, 256))[0] / tile.size
    assert shares == pytest.approx(np.full(8, 1 / 8), abs=0.03)
    seam, inside = np.abs(tile[0] - tile[-1]).mean(), np.abs(np.diff(tile, axis=0)).mean()
    assert seam < 2 * inside
