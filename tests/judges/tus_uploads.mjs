// Uploads files with tus-js-client, one after another, and prints one line of JSON for each.
//
//   node tus_uploads.mjs ENDPOINT OPTIONS FILE...
//
// OPTIONS are the client's own, as JSON.

import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { PassThrough } from 'node:stream'
import * as tus from 'tus-js-client'

const [endpoint, given, ...files] = process.argv.slice(2)
const options = JSON.parse(given)

// Of a file the client knows the length, and announces too much when it is to be deferred.
function open(file) {
  const stream = createReadStream(file)
  return options.uploadLengthDeferred ? stream.pipe(new PassThrough()) : stream
}

function upload(file) {
  return new Promise((resolve) => {
    const attempt = new tus.Upload(open(file), {
      endpoint,
      metadata: { filename: basename(file) },
      retryDelays: Array(200).fill(5),
      ...options,
      onSuccess: () => resolve({ file, url: attempt.url }),
      onError: (error) => resolve({ file, error: String(error) }),
    })
    attempt.start()
  })
}

for (const file of files) console.log(JSON.stringify(await upload(file)))
