"""The contract between gateways (docs/wire.md): what is signed, sealed and sent."""
