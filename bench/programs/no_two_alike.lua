-- For wrk: each request has a field with a number of its own.
local number = 0

request = function()
  number = number + 1
  wrk.headers["X-Number"] = tostring(number)
  return wrk.format()
end
