"""Turn what happened on a host into plain data: process tables and trees."""
