"""Read models: registers worked out from the record, which can be thrown away and made again."""
