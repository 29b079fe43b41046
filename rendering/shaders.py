"""What the graphics card (or Mesa's software in its place) does with each corner and each pixel: GLSL 3.30."""

CORNER = """
#version 330
uniform mat4 to_world;
uniform mat4 to_picture;
in vec3 corner; in vec3 direction; in vec2 in_texture;
out vec3 world; out vec3 local; out vec3 normal; out vec2 uv;
void main() {
    vec4 place = to_world * vec4(corner, 1.0);
    world = place.xyz; local = corner; normal = mat3(to_world) * direction; uv = in_texture;
    gl_Position = to_picture * place;
}
"""

# Covered by the model's own picture (1), by a swatch from three sides (2) or by nothing (0); lit by a lamp with soft
# shadows, the sky and the ground. Colours are squared for light to add up, and their root taken at the end.
PAINTED = """
#version 330
uniform sampler2D texture_map; uniform sampler2D shadow; uniform mat4 to_light_map;
uniform vec3 to_light; uniform vec3 light; uniform vec3 sky; uniform vec3 ground; uniform vec3 eye;
uniform int kind; uniform vec3 colour; uniform vec3 tint; uniform float hue; uniform float grain; uniform float shine;
in vec3 world; in vec3 local; in vec3 normal; in vec2 uv;
out vec4 result;

vec3 other_hue(vec3 c) {
    vec3 grey = vec3(0.57735);
    return c * cos(hue) + cross(grey, c) * sin(hue) + grey * dot(grey, c) * (1.0 - cos(hue));
}

vec3 from_three_sides(vec3 facing) {
    vec3 share = abs(facing) / (abs(facing.x) + abs(facing.y) + abs(facing.z));
    vec3 place = local * grain;
    return texture(texture_map, place.yz).rgb * share.x + texture(texture_map, place.xz).rgb * share.y
        + texture(texture_map, place.xy).rgb * share.z;
}

float lit(vec3 facing) {
    vec4 seen = to_light_map * vec4(world + facing * 0.01, 1.0);
    vec3 place = seen.xyz / seen.w * 0.5 + 0.5;
    if (place.z > 1.0) return 1.0;
    float free = 0.0;
    for (int x = -1; x <= 1; x++)
        for (int y = -1; y <= 1; y++)
            free += texture(shadow, place.xy + vec2(x, y) / 1024.0).r < place.z - 0.003 ? 0.0 : 1.0;
    return free / 9.0;
}

void main() {
    vec3 to_eye = normalize(eye - world);
    vec3 facing = normalize(normal);
    if (dot(facing, to_eye) < 0.0) facing = -facing;
    vec3 albedo = colour;
    if (kind == 1) {
        vec4 texel = texture(texture_map, uv);
        if (texel.a < 0.5) discard;
        albedo = texel.rgb;
    }
    if (kind == 2) albedo = from_three_sides(facing) * (0.35 + 0.65 * colour) * 1.3;
    albedo = clamp(other_hue(albedo) * tint, 0.0, 1.0);
    float share = lit(facing);
    vec3 around = mix(ground, sky, 0.5 + 0.5 * facing.y) + light * share * max(dot(facing, to_light), 0.0);
    vec3 highlight = light * share * shine * pow(max(dot(facing, normalize(to_light + to_eye)), 0.0), 32.0);
    result = vec4(sqrt(clamp(albedo * albedo * around + highlight, 0.0, 1.0)), 1.0);
}
"""

NUMBERED = """
#version 330
uniform sampler2D texture_map; uniform int kind; uniform float number; uniform float part;
in vec3 world; in vec3 local; in vec3 normal; in vec2 uv;
out vec4 result;
void main() {
    if (kind == 1 && texture(texture_map, uv).a < 0.5) discard;
    result = vec4(number / 255.0, part / 255.0, 0.0, 1.0);
}
"""

BACKDROP_CORNER = """
#version 330
in vec2 corner; out vec2 uv;
void main() { uv = corner * 0.5 + 0.5; gl_Position = vec4(corner, 0.99999, 1.0); }
"""

BACKDROP = """
#version 330
uniform sampler2D texture_map; in vec2 uv; out vec4 result;
void main() { result = texture(texture_map, uv); }
"""
