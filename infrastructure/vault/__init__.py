"""The vault: keys in the keystore only, ciphertexts in the media store only."""
