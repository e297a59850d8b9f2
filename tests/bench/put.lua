-- SPDX-License-Identifier: Apache-2.0
-- wrk: each request is the next line of $GEMEL_BENCH_URLS (path and query of a presigned PUT), with a body of $GEMEL_BENCH_SIZE bytes.
local targets = {}
for line in io.lines(os.getenv("GEMEL_BENCH_URLS")) do
	targets[#targets + 1] = line
end
local body = string.rep("Z", tonumber(os.getenv("GEMEL_BENCH_SIZE")))
local host = os.getenv("GEMEL_BENCH_HOST")
local at = 0

function request()
	at = at % #targets + 1
	return wrk.format("PUT", targets[at], { ["Host"] = host, ["Content-Length"] = tostring(#body) }, body)
end

function done(summary, latency, requests)
	local errors = summary.errors
	io.write(string.format("RESULT %.1f %d %d %.3f %.3f\n", summary.requests / (summary.duration / 1e6), errors.status,
		errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
