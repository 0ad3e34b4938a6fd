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

// The client tells that a response is over while it may still hold the last batch of it: so the end
// is what a batch says, and a batch that comes late, when it has been asked for anew, is dropped.
async function follow() {
  const got = []
  let offset = "-1"
  for (;;) {
    let over = false
    try {
      const response = await stream({ url, offset, live, json: true, backoffOptions })
      const ended = await new Promise((resolve, reject) => {
        response.subscribeJson(async (batch) => {
          if (over) return
          got.push(...batch.items)
          offset = batch.offset
          if (batch.streamClosed) resolve(true)
        })
        response.closed.then(() => response.streamClosed || resolve(false), reject)
      })
      if (ended) return got
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2))
    } finally {
      over = true
    }
  }
}

const [got] = await Promise.all([follow(), append()])
process.stdout.write(JSON.stringify(got))
process.exit(0)
