"""Carries out the effects of the view-model with the client library, one file for each feature."""
