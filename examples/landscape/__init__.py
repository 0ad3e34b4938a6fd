"""Paints a landscape from noise, geometry and light, with nothing but Pillow.

The land is a height over a plane. The plane is cut into slices that lie across the view, from the
near bank to the far range, and all about the land (height, colour, light, haze) is first worked out
in slice space: an image with a column for each column of the picture and a row for each slice.
Then every column is looked along from near to far, which tells for each pixel what slice it shows
and, for water, what slice it mirrors. Trees are planted last, each at its place in depth.
"""
