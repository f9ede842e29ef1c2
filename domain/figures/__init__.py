"""What is published of deployments: counted from the record, so that anyone can add it up again."""
