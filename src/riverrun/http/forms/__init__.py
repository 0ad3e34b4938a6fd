"""Forms that come in: part by part, each a Readable, none of them held whole.

A form is a body in one of two codings, ``multipart/form-data`` (RFC 7578) and
``application/x-www-form-urlencoded`` (URL Standard, 5.1). A decoder takes its chunks and gives
events: a part's head, its bytes, its end. Nothing is read ahead: the parts are read from the
request as the handler reads them, so the handler sets the client's pace, and going on to the next
part passes over what is left of the one before. Only an urlencoded form, which is small or
refused, is collected before its first part.
"""

from riverrun.http.forms.form import Form, Part, read_form

__all__ = ["Form", "Part", "read_form"]
