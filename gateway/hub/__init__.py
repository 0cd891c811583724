"""The discovery hub: passes sealed questions and answers on, and can read neither."""
