// The official client appends messages as a producer and follows them, over lines that are cut.
//
//   node append_and_follow.mjs ADDRESS COUNT sse|long-poll
//
// Prints what the follower got, in order. A client that gives up is begun anew where it stood.
import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client"

const [url, count, live] = [process.argv[2], Number(process.argv[3]), process.argv[4]]
const backoffOptions = { initialDelay: 2, maxDelay: 20, multiplier: 1.3 }

// The producer repeats nothing by itself when a line breaks; with its numbers it is safe to.
async function repeating(...request) {
  for (;;) {
    try {
      const response = await fetch(...request)
      await response.clone().arrayBuffer() // an answer that is cut has not come
      return response
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

async function append() {
  const handle = new DurableStream({ url, contentType: "application/json", backoffOptions })
  const producer = new IdempotentProducer(handle, "writer", {
    maxBatchBytes: 300,
    lingerMs: 1,
    fetch: repeating,
  })
  for (let n = 0; n < count; n++) {
    producer.append(JSON.stringify({ n, words: `${n} `.repeat(n % 20) }))
    if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await producer.close()
}

async function follow() {
  const got = []
  let offset = "-1"
  for (;;) {
    try {
      const response = await stream({ url, offset, live, json: true, backoffOptions })
      const ended = await new Promise((resolve, reject) => {
        response.subscribeJson(async (batch) => {
          got.push(...batch.items)
          offset = batch.offset
        })
        response.closed.then(() => resolve(response.streamClosed), reject)
      })
      if (ended) return got
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

const [got] = await Promise.all([follow(), append()])
process.stdout.write(JSON.stringify(got))
process.exit(0)
