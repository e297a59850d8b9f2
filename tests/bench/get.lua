-- SPDX-License-Identifier: Apache-2.0
-- wrk: report one line.
function done(summary, latency, requests)
	local errors = summary.errors
	io.write(string.format("RESULT %.1f %d %d %.3f %.3f\n", summary.requests / (summary.duration / 1e6), errors.status,
		errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
