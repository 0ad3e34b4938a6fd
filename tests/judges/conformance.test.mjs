// The suite asks the server at STREAMS_ADDRESS. (Vite takes BASE_URL for itself.)
import { runConformanceTests } from "@durable-streams/server-conformance-tests"

runConformanceTests({ baseUrl: process.env.STREAMS_ADDRESS, longPollTimeoutMs: 3000 })
