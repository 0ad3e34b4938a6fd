-- For wrk: each request is for another of the files in a folder, in an order without a pattern.
local count = 500 -- as many as bench/folder.py writes
local number = 0
local folder = wrk.path:match("^.*/") .. "many/"

request = function()
  number = (number * 21 + 17) % count
  return wrk.format(nil, folder .. number .. ".bin")
end
