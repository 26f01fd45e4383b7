"""Files of fitted estimators: safetensors with a JSON document, without pickle."""
