"""The objects people write and the cluster keeps, as Structs; one definition per field; pure."""
