"""conmon and crun: who holds a container where no shim does, for podman and CRI-O."""
