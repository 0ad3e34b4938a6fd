"""The tables of the page, by heading; works that share one name it from here."""

THROUGHPUT = "Speed"
COST = "What it costs"
LATENCY = "How soon"
CPU = "CPU a request"
SERVER_CORE = "How busy the server's core was"
UPLOAD_SPEED = "Speed of uploads"
UPLOAD_COST = "What uploads cost"
