"""Which media type a file name stands for, and what that type allows.

The table is our own and whole: the module `mimetypes` differs between versions of Python and reads
what the machine has installed, so that the same file would be served differently elsewhere. Where
an extension means two things, the one that browsers can play or show counts: ``ts`` is video.
"""

from __future__ import annotations

from functools import lru_cache

OCTET_STREAM = "application/octet-stream"

EXTENSIONS = {
    # Pages and what they load
    "text/html": "html htm",
    "application/xhtml+xml": "xhtml xht",
    "text/css": "css",
    "text/javascript": "js mjs cjs",
    "application/json": "json map",
    "application/manifest+json": "webmanifest",
    "application/wasm": "wasm",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "font/ttf": "ttf",
    "font/otf": "otf",
    "font/collection": "ttc otc",
    # Text and data
    "text/plain": (
        "txt text log diff patch conf cfg ini env properties rst tex bib asc nfo "
        "py pyi pyx c h cc cpp cxx hpp hh rs go java kt kts swift rb pl lua php r jl hs ml ex exs "
        "erl clj scala dart zig nim cs fs vb jsx tsx vue svelte scss sass less sh bash zsh fish "
        "bat ps1 sql proto graphql gradle cmake mk dockerfile gitignore lock"
    ),
    "text/markdown": "md markdown mkd",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv tab",
    "text/calendar": "ics ical",
    "text/vcard": "vcf vcard",
    "text/vtt": "vtt",
    "application/x-subrip": "srt",
    "text/x-ssa": "ass ssa",
    "application/x-ndjson": "ndjson jsonl",
    "application/json-seq": "json-seq",
    "application/ld+json": "jsonld",
    "application/geo+json": "geojson",
    "application/yaml": "yaml yml",
    "application/toml": "toml",
    "application/xml": "xml xsd xsl xslt",
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/gpx+xml": "gpx",
    "application/vnd.google-earth.kml+xml": "kml",
    "application/vnd.sqlite3": "sqlite sqlite3 db",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.file": "arrow",
    "application/x-hdf5": "h5 hdf5",
    # Pictures
    "image/png": "png",
    "image/apng": "apng",
    "image/jpeg": "jpg jpeg jpe jfif",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif avifs",
    "image/jxl": "jxl",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/svg+xml": "svg",
    "image/bmp": "bmp dib",
    "image/tiff": "tif tiff",
    "image/vnd.microsoft.icon": "ico cur",
    "image/jp2": "jp2",
    "image/vnd.adobe.photoshop": "psd",
    "image/x-exr": "exr",
    # Video
    "video/mp4": "mp4 m4v mp4v m4s cmfv",
    "video/webm": "webm",
    "video/matroska": "mkv mk3d",
    "video/quicktime": "mov qt",
    "video/mpeg": "mpeg mpg mpe m1v m2v vob",
    "video/mp2t": "ts m2ts mts",
    "video/ogg": "ogv",
    "video/x-msvideo": "avi",
    "video/x-ms-wmv": "wmv",
    "video/x-flv": "flv",
    "video/3gpp": "3gp 3gpp",
    "video/3gpp2": "3g2",
    "application/vnd.apple.mpegurl": "m3u8",
    "application/dash+xml": "mpd",
    # Sound
    "audio/mpeg": "mp3 mpga mp2",
    "audio/mp4": "m4a m4b mp4a cmfa",
    "audio/aac": "aac adts",
    "audio/ogg": "ogg oga opus spx",
    "audio/webm": "weba",
    "audio/matroska": "mka",
    "audio/flac": "flac",
    "audio/wav": "wav wave",
    "audio/aiff": "aif aiff aifc",
    "audio/midi": "mid midi",
    "audio/amr": "amr",
    "audio/x-ms-wma": "wma",
    "audio/mpegurl": "m3u",
    # Documents
    "application/pdf": "pdf",
    "application/epub+zip": "epub",
    "application/rtf": "rtf",
    "application/postscript": "ps eps ai",
    "application/msword": "doc dot",
    "application/vnd.ms-excel": "xls xlt",
    "application/vnd.ms-powerpoint": "ppt pps",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/x-ipynb+json": "ipynb",
    "message/rfc822": "eml mht mhtml",
    # Archives, images of disks, programs
    "application/zip": "zip",
    "application/gzip": "gz tgz svgz",
    "application/zstd": "zst tzst",
    "application/x-bzip2": "bz2 tbz2",
    "application/x-xz": "xz txz",
    "application/x-brotli": "br",
    "application/x-tar": "tar",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
    "application/java-archive": "jar war",
    "application/vnd.android.package-archive": "apk",
    "application/vnd.debian.binary-package": "deb",
    "application/x-rpm": "rpm",
    "application/x-bittorrent": "torrent",
    "application/x-iso9660-image": "iso",
    "application/x-apple-diskimage": "dmg",
    "model/gltf+json": "gltf",
    "model/gltf-binary": "glb",
    "model/stl": "stl",
    "model/obj": "obj",
    OCTET_STREAM: "bin exe dll so dylib img dat part tmp whl pyc o a",
}
TYPES = {
    extension: media_type
    for media_type, extensions in EXTENSIONS.items()
    for extension in extensions.split()
}
PLAIN_NAMES = frozenset(
    ("readme", "license", "licence", "copying", "changelog", "authors", "makefile", "dockerfile")
)

# Text of another name, and binary formats that were made without compression.
COMPRESSIBLE = frozenset(
    (
        "application/json",
        "application/x-ndjson",
        "application/json-seq",
        "application/xml",
        "application/yaml",
        "application/toml",
        "application/javascript",
        "application/x-subrip",
        "application/rtf",
        "application/postscript",
        "application/vnd.apple.mpegurl",
        "application/wasm",
        "application/x-tar",
        "audio/mpegurl",
        "font/ttf",
        "font/otf",
        "font/collection",
        "image/bmp",
        "image/vnd.microsoft.icon",
        "message/rfc822",
        "model/obj",
    )
)
SCRIPTS = frozenset(
    (
        "text/html",
        "text/xml",
        "application/xml",
        "text/xsl",
        "text/javascript",
        "text/ecmascript",
        "application/javascript",
        "application/x-javascript",
        "application/ecmascript",
        "application/wasm",
        "multipart/related",
        "multipart/x-mixed-replace",
        "message/rfc822",
    )
)
SANDBOX = "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads"
"""The Content-Security-Policy under which such a body has an origin of its own, and runs there."""


def media_type_of(name: str) -> str:
    """The media type that the last extension of a file name stands for, without parameters."""
    _, dot, extension = name.rpartition(".")
    if dot:
        return TYPES.get(extension.lower(), OCTET_STREAM)
    return "text/plain" if extension.lower() in PLAIN_NAMES else OCTET_STREAM


def content_type_of(name: str) -> str:
    """The Content-Type to serve a file of this name with: text is taken to be UTF-8."""
    media_type = media_type_of(name)
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def is_compressible(content_type: str) -> bool:
    """Whether a body of this type is worth compressing: text, and what nobody compressed yet."""
    media_type = _essence(content_type)
    return (
        media_type.startswith("text/")
        or media_type.endswith(("+json", "+xml", "+text", "+yaml"))
        or media_type in COMPRESSIBLE
    )


@lru_cache(maxsize=256)
def is_script(content_type: str) -> bool:
    """Whether a browser could run a body of this type as a script of the origin it came from.

    What strangers uploaded is served with such a type only from an origin of its own, in a
    sandbox, or to be saved.
    """
    media_type = _essence(content_type)
    return media_type.endswith("+xml") or media_type in SCRIPTS


def _essence(content_type: str) -> str:
    """A content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()
