def read_capture(folder): raise NotImplementedError
