"""Where works come from: the OpenAlex API, files of works, a snapshot."""
