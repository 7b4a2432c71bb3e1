"""The screens: one Python file and one stylesheet each."""
